import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters } from "jose";
import { issuerUnavailable } from "./refusals.ts";

const log = getLogger(["mpc", "authentication"]);

/** Keys that are older are read again, in the background. */
export const REFRESH_MS = 5 * 60_000;

/** Keys are read at most this often, however many tokens name unknown keys. */
export const COOLDOWN_MS = 10_000;

interface Known {
  readonly find: (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;
  /** By the monotonic clock. */
  readonly readAt: number;
}

export interface IssuerKeysOptions {
  readonly issuer: string;
  readonly load: (signal: AbortSignal) => Promise<JSONWebKeySet>;
  readonly clock: Clock;
  /** How long keys stay in use while they cannot be read again. */
  readonly keepMs: number;
}

/** The public keys of one issuer, which stay known for a time while the issuer is away. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #closed = new AbortController();
  #known: Known | undefined;
  #reading: Promise<void> | undefined;
  #attempt: { readonly at: number; readonly error: unknown } | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * The key that signed a token.
   * @throws {MpcError} UNAVAILABLE `ISSUER_UNAVAILABLE`: the keys, or newer ones, cannot be read
   * @throws {JOSEError} no key fits, or several do
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const { JWKSNoMatchingKey } = (await import("jose")).errors;
    const age = this.#age();
    if (age === undefined || age >= this.#options.keepMs + REFRESH_MS) await this.#refresh();
    else if (age >= REFRESH_MS) this.#refresh().catch(() => {}); // It is logged, and tried again.
    try {
      return await this.#known!.find(header, token);
    } catch (error) {
      if (!(error instanceof JWKSNoMatchingKey)) throw error;
      // The issuer may have a new key.
      if (!await this.#refresh()) throw error;
      return await this.#known!.find(header, token);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#reading?.catch(() => {}); // It was aborted.
  }

  #age(): number | undefined {
    return this.#known && this.#options.clock.monotonic() - this.#known.readAt;
  }

  /**
   * Reads the keys again, unless that was tried a moment ago.
   * @returns whether they have been read
   * @throws {MpcError} UNAVAILABLE `ISSUER_UNAVAILABLE`, also if it failed a moment ago
   */
  async #refresh(): Promise<boolean> {
    const { clock, issuer } = this.#options;
    const attempt = this.#attempt;
    if (!this.#reading && attempt && clock.monotonic() - attempt.at < COOLDOWN_MS) {
      if (attempt.error === undefined) return false;
      throw issuerUnavailable(issuer, attempt.error);
    }
    this.#reading ??= this.#read().finally(() => this.#reading = undefined);
    try {
      await this.#reading;
    } catch (error) {
      throw issuerUnavailable(issuer, error);
    }
    return true;
  }

  async #read(): Promise<void> {
    const { load, clock, issuer } = this.#options;
    const { createLocalJWKSet } = await import("jose");
    try {
      const find = createLocalJWKSet(await load(this.#closed.signal));
      this.#known = { find, readAt: clock.monotonic() };
      this.#attempt = { at: clock.monotonic(), error: undefined };
    } catch (error) {
      this.#attempt = { at: clock.monotonic(), error: error ?? "unknown" };
      if (!this.#closed.signal.aborted) {
        log.warning("Cannot read the keys of the issuer {issuer}: {error}", {
          issuer,
          error: recordError(error),
        });
      }
      throw error;
    }
  }
}
