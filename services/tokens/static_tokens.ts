import { getLogger } from "@logtape/logtape";
import { isMpcError, MpcError, recordError, type Token, tokenName } from "@mpc/domain";
import type { Store, Stored } from "@mpc/storage";
import type { Clock } from "../ports/mod.ts";
import { equalHashes, hashSecret, tokenOfSecret } from "./secret.ts";

const log = getLogger(["mpc", "tokens"]);

/** How long a token is accepted without looking into the store: so late other processes revoke it. */
export const RECHECK_MS = 5_000;

/** The last use of a token is written at most this often. */
const LAST_USE_EVERY_MS = 60_000;

/** The number of tokens that are remembered; the one that was unused longest is dropped first. */
const MAX_REMEMBERED = 2_000;

interface Remembered {
  readonly token: Token;
  /** By the monotonic clock. */
  readonly until: number;
}

/** Verifies the secrets of static tokens, and notes their use. One for each process. */
export class StaticTokens {
  readonly #store: Pick<Store, "tokens">;
  readonly #clock: Clock;
  /** By the hash of the secret. */
  readonly #remembered = new Map<string, Remembered>();
  /** When the last use of each token was last written, by the monotonic clock. */
  readonly #noted = new Map<string, number>();
  /** Writes of last uses that have not ended. */
  readonly #writes = new Set<Promise<void>>();
  /** Counts revocations, so that a token that was read before one is not remembered after it. */
  #revocations = 0;

  constructor({ store, clock }: { readonly store: Pick<Store, "tokens">; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The token of a secret. A token that was verified a moment ago is returned without a promise.
   * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` if no token has this secret,
   *   `CREDENTIALS_EXPIRED`, and what the store throws
   */
  verify(secret: string, signal: AbortSignal): Token | Promise<Token> {
    const id = tokenOfSecret(secret);
    if (id === undefined) throw unknownToken();
    const hash = hashSecret(secret);
    const remembered = this.#remembered.get(hash);
    if (!remembered || remembered.until <= this.#clock.monotonic()) {
      return this.#read(tokenName(id), hash, signal);
    }
    return this.#accept(remembered.token);
  }

  /** Refuses a token from now on. */
  forget(name: string): void {
    this.#revocations++;
    this.#noted.delete(name);
    for (const [hash, { token }] of this.#remembered) {
      if (token.name === name) this.#remembered.delete(hash);
    }
  }

  /** Waits for the writes of last uses. */
  async close(): Promise<void> {
    await Promise.all(this.#writes);
  }

  async #read(name: string, hash: string, signal: AbortSignal): Promise<Token> {
    const revocations = this.#revocations;
    const stored = await this.#store.tokens.get(name, { signal });
    if (!equalHashes(stored?.value.secretHash ?? "-".repeat(hash.length), hash)) {
      throw unknownToken();
    }
    const token = this.#accept(stored!.value);
    this.#remembered.delete(hash);
    if (revocations === this.#revocations) {
      this.#remembered.set(hash, { token, until: this.#clock.monotonic() + RECHECK_MS });
      if (this.#remembered.size > MAX_REMEMBERED) {
        const [oldest = ""] = this.#remembered.keys();
        this.#remembered.delete(oldest);
      }
    }
    this.#noteUse(stored!);
    return token;
  }

  #accept(token: Token): Token {
    if (token.expireTime > this.#clock.now()) return token;
    throw new MpcError("UNAUTHENTICATED", {
      reason: "CREDENTIALS_EXPIRED",
      message: `Cannot authenticate the caller: its token expired at ${
        new Date(token.expireTime).toISOString()
      }; create another one with 'mpctl token create'`,
    });
  }

  /** Writes when a token was last used, without making the call wait. */
  #noteUse({ value, version }: Stored<Token>): void {
    const { name, lastUseTime } = value;
    const [now, time] = [this.#clock.monotonic(), this.#clock.now()];
    const noted = this.#noted.get(name);
    if (noted !== undefined && now - noted < LAST_USE_EVERY_MS) return;
    // Another process may have written it. A time that is ahead was written by another clock.
    if (lastUseTime !== null && Math.abs(time - lastUseTime) < LAST_USE_EVERY_MS) return;
    this.#noted.set(name, now);
    const write = this.#store.tokens.replace({ ...value, lastUseTime: time }, version).then(
      () => {},
      (error: unknown) => {
        // Another process has written it, or the token was revoked meanwhile.
        if (isMpcError(error, "ABORTED", "NOT_FOUND")) return;
        log.warning("Cannot note the last use of {name}: {error}", {
          name,
          error: recordError(error),
        });
      },
    ).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }
}

/** The same error whatever is wrong, so that it reveals nothing about the tokens that exist. */
const unknownToken = (): MpcError =>
  new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_INVALID",
    message: "Cannot authenticate the caller: its token is unknown, or was revoked; " +
      "create another one with 'mpctl token create'",
  });
