import { isMpcError, type Lease } from "@mpc/domain";
import { type Clock, type Ids, sleepUnlessAborted } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";
import { repeatPass } from "./repeat_pass.ts";

/** How long a lease is kept without a renewal. */
export const LEASE_MS = 15_000;

const LOST = AbortSignal.abort("the lease is not held");

/** The interval of renewing a lease, and of looking whether another holder renews it. */
const RENEW_MS = 5_000;

export interface LeaseOptions {
  readonly store: Pick<Store, "leases">;
  readonly clock: Clock;
  readonly ids: Pick<Ids, "uuid">;
  /** What the lease is for. */
  readonly what: string;
}

/**
 * Holds a lease while it can: one process at a time has it. Only intervals of the process's own
 * monotonic clock count, so the clocks of machines need not agree. A process that was paused may
 * believe for a moment that it still holds the lease; `FencedPasses` stops what it has begun.
 */
export class HeldLease implements AsyncDisposable {
  readonly #options: LeaseOptions;
  readonly #name: string;
  readonly #holder: string;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #watching: Promise<unknown> | undefined;
  /** Of the current holding; undefined while the lease is not held. */
  #held: AbortController | undefined;
  /** The lease as this process has written it, and when the write began. */
  #mine: { readonly stored: Stored<Lease>; readonly at: number } | undefined;
  /** The lease of another holder, and since when it has this version. */
  #others: { readonly version: number; readonly at: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#name = `leases/${options.what}`;
    this.#holder = options.ids.uuid();
  }

  /** Starts to acquire the lease, and to renew it; resolves after the first attempt. */
  async start(): Promise<void> {
    await this.attempt();
    const renewal = { name: "lease_renewal", everyMs: RENEW_MS, run: () => this.attempt() };
    const { clock } = this.#options;
    this.#running = repeatPass(renewal, { clock, signal: this.#stop.signal });
  }

  /** The fencing token while this process holds the lease; undefined while it does not. */
  get token(): number | undefined {
    const mine = this.#mine;
    if (!mine || this.#options.clock.monotonic() - mine.at >= LEASE_MS) return undefined;
    return mine.stored.value.token;
  }

  /**
   * Reads from the store whether this process still holds the lease with a token. A machine that was
   * suspended may not notice by its own clock that the lease is over.
   */
  async isHeldWith(token: number | undefined): Promise<boolean> {
    const found = await this.#options.store.leases.get(this.#name);
    return token !== undefined && this.token === token && found?.value.token === token &&
      found.value.holder === this.#holder;
  }

  /** Aborted when the lease is lost that this process holds now; aborted already if it holds none. */
  get lost(): AbortSignal {
    return this.token === undefined || !this.#held ? LOST : this.#held.signal;
  }

  /**
   * Acquires or renews the lease if no other process holds it.
   * @throws what the store throws; the lease then ends by itself unless a later attempt renews it
   */
  async attempt(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      if (!isMpcError(error, "ABORTED", "ALREADY_EXISTS", "NOT_FOUND")) throw error;
      // Another process was faster, or an earlier write of this one was made without an answer.
      const token = this.#mine?.stored.value.token;
      this.#mine = undefined;
      const found = await this.#options.store.leases.get(this.#name);
      if (found?.value.token !== token) this.#lose();
      if (found?.value.holder === this.#holder) await this.#renew(found);
    } finally {
      if (this.#mine) this.#hold();
      else this.#lose();
    }
  }

  /** Watches the time of a lease that this process has just acquired. */
  #hold(): void {
    if (this.#held) return;
    const held = new AbortController();
    this.#held = held;
    const over = AbortSignal.any([held.signal, this.#stop.signal]);
    this.#watching = this.#untilOver(over).then(() => this.#held === held && this.#lose());
  }

  /** Resolves when the lease was not renewed in time, or when the signal is aborted. */
  async #untilOver(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (this.#mine && this.token !== undefined) {
      const leftMs = this.#mine.at + LEASE_MS - clock.monotonic();
      if (!await sleepUnlessAborted(clock, leftMs, signal)) return;
    }
  }

  #lose(): void {
    this.#held?.abort(`the lease '${this.#name}' is lost`);
    this.#held = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#running, this.#watching]);
    const mine = this.#mine;
    if (!mine) return;
    this.#mine = undefined;
    const released = { ...mine.stored.value, holder: "" };
    try {
      await this.#options.store.leases.replace(released, mine.stored.version);
    } catch (error) {
      // Without a release the lease is free when its time is over.
      if (!isMpcError(error)) throw error;
    }
  }

  async #write(): Promise<void> {
    const { store: { leases }, clock } = this.#options;
    const at = clock.monotonic();
    const found = this.#mine?.stored ?? await leases.get(this.#name);
    if (!found) this.#mine = { stored: await leases.create(this.#next(0)), at };
    else if (found.value.holder === this.#holder) await this.#renew(found);
    else if (this.#isFree(found)) {
      const next = this.#next(found.value.token);
      this.#mine = { stored: await leases.replace(next, found.version), at };
    }
  }

  async #renew({ value, version }: Stored<Lease>): Promise<void> {
    const at = this.#options.clock.monotonic();
    this.#mine = { stored: await this.#options.store.leases.replace(value, version), at };
  }

  #next(token: number): Lease {
    return { name: this.#name, holder: this.#holder, token: token + 1 };
  }

  /** Whether a lease was released, or was not renewed for its time to live. */
  #isFree({ value, version }: Stored<Lease>): boolean {
    const now = this.#options.clock.monotonic();
    if (value.holder === "") return true;
    if (this.#others?.version !== version) this.#others = { version, at: now };
    return now - this.#others.at >= LEASE_MS;
  }
}
