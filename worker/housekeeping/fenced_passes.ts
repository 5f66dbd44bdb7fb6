import { getLogger } from "@logtape/logtape";
import { isMpcError, MpcError } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { HeldLease } from "./hold_lease.ts";

const log = getLogger(["mpc", "housekeeping"]);

/**
 * Runs passes that only the holder of a lease may make. Each pass belongs to the fencing token with
 * which it began: once this process has lost the lease, also if it has acquired it again, every call
 * of the pass's store fails, so that a process that was paused stops at its next read or write. A
 * write that was on its way then is a compare-and-swap, which fails where the new holder was first.
 * A cluster knows no tokens: a pass calls {@linkcode FencedPasses.assertHeld} right before it deletes
 * an object there, and deletes it only in the version that it has read.
 */
export class FencedPasses {
  /** The store that the passes must use. */
  readonly store: Store;
  readonly #lease: Pick<HeldLease, "token" | "isHeldWith"> | undefined;
  #token: number | undefined;

  /** @param lease undefined where no other process can make passes */
  constructor(store: Store, lease: Pick<HeldLease, "token" | "isHeldWith"> | undefined) {
    this.#lease = lease;
    this.store = lease ? fenced(store, () => this.#assertToken()) : store;
  }

  /** Makes a pass if this process holds the lease; one pass at a time. */
  async run(pass: () => Promise<void>): Promise<void> {
    this.#token = this.#lease?.token;
    if (this.#lease && this.#token === undefined) return;
    try {
      await pass();
    } catch (error) {
      if (!isLeaseLost(error)) throw error;
      log.info("A pass ended early: {error}", { error: error.message });
    }
  }

  /**
   * Asserts by the store that no other process has the lease.
   * @throws {MpcError} FAILED_PRECONDITION `LEASE_LOST`
   */
  async assertHeld(): Promise<void> {
    this.#assertToken();
    if (this.#lease && !await this.#lease.isHeldWith(this.#token)) throw leaseLost();
  }

  #assertToken(): void {
    if (this.#lease?.token !== this.#token) throw leaseLost();
  }
}

const leaseLost = (): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "LEASE_LOST",
    message: "Cannot go on: another process may hold the lease of the housekeeping now",
    retryable: true,
  });

/** Whether a pass must end because this process has lost the right to make it. */
export const isLeaseLost = (error: unknown): error is MpcError =>
  isMpcError(error) && error.reason === "LEASE_LOST";

/** A store each call of which is preceded by a check. */
function fenced(store: Store, check: () => void): Store {
  const port = <T extends object>(inner: T): T =>
    new Proxy(inner, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          check();
          return Reflect.apply(member, target, args);
        };
      },
    });
  return new Proxy(store, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member === "function") return member.bind(target);
      return typeof member === "object" && member !== null ? port(member) : member;
    },
  });
}
