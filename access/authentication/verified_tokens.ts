import { createHash } from "node:crypto";
import type { Clock } from "@mpc/services";
import type { Authenticated } from "./authenticated.ts";

/** How long a token is accepted without a look at the keys: so late a rotated-out key takes effect. */
const RECHECK_MS = 60_000;

/** The token that was unused longest is dropped first. */
const MAX_TOKENS = 10_000;

interface Entry {
  readonly identity: Authenticated;
  /** By the monotonic clock. */
  readonly until: number;
}

/** Verified tokens, by their hashes: to verify a signature takes longer than a short call. */
export class VerifiedTokens {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of a token; undefined if it must be verified. */
  get(hash: string): Authenticated | undefined {
    const entry = this.#entries.get(hash);
    if (!entry) return undefined;
    this.#entries.delete(hash);
    const { identity, until } = entry;
    const { expireTime } = identity;
    if (until <= this.#clock.monotonic()) return undefined;
    if (expireTime !== null && expireTime <= this.#clock.now()) {
      return undefined;
    }
    this.#entries.set(hash, entry);
    return identity;
  }

  add(hash: string, identity: Authenticated): void {
    this.#entries.set(hash, { identity, until: this.#clock.monotonic() + RECHECK_MS });
    if (this.#entries.size <= MAX_TOKENS) return;
    const [oldest = ""] = this.#entries.keys();
    this.#entries.delete(oldest);
  }
}

export const hashToken = (token: string): string =>
  createHash("sha256").update(token).digest("base64");
