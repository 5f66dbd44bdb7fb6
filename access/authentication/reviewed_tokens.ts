import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted, type TokenReviewer } from "@mpc/services";
import type { Authenticated } from "./authenticated.ts";
import type { Trust } from "./issuer.ts";
import { type Claims, claimsOf } from "./jwt_parts.ts";
import { credentialsExpired, credentialsInvalid, reviewUnavailable } from "./refusals.ts";
import { hashToken } from "./verified_tokens.ts";

const log = getLogger(["mpc", "authentication"]);

/** How long a cluster may take to review a token. */
const REVIEW_MS = 5_000;

/** Reviews at the same time: anybody can send tokens. */
const MAX_REVIEWS = 20;

/** How long a refused token stays refused without another review. */
export const REFUSED_MS = 10_000;

/** The token that was refused first is dropped first. */
const MAX_REFUSED = 1_000;

/** The pause after a review that failed. */
export const PAUSE_MS = 2_000;

/**
 * Verifies the tokens of one cluster's service accounts by asking the cluster (TokenReview). Unlike a
 * signature, its answer also says that the account, and the pod of the token, still exist.
 */
export class ReviewedTokens {
  readonly #trust: Trust & { readonly cluster: string };
  readonly #clock: Clock;
  readonly #reviewer: TokenReviewer;
  readonly #closed = new AbortController();
  /** By hash. */
  readonly #reviews = new Map<string, Promise<Authenticated>>();
  /** Until when tokens are refused, by hash; by the monotonic clock. */
  readonly #refused = new Map<string, number>();
  #failure: { readonly until: number; readonly error: unknown } | undefined;

  constructor(
    trust: Trust & { readonly cluster: string },
    { clock, reviewer }: { readonly clock: Clock; readonly reviewer: TokenReviewer },
  ) {
    this.#trust = trust;
    this.#clock = clock;
    this.#reviewer = reviewer;
  }

  /**
   * The identity of a token.
   * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` or `CREDENTIALS_EXPIRED`, UNAVAILABLE
   *   `ISSUER_UNAVAILABLE`
   */
  async verify(token: string): Promise<Authenticated> {
    const claims = claimsOf(token);
    const expireTime = this.#check(claims);
    const hash = hashToken(token);
    if ((this.#refused.get(hash) ?? -Infinity) > this.#clock.monotonic()) throw notAccepted();
    const running = this.#reviews.get(hash);
    if (running) return await running;
    if (this.#reviews.size >= MAX_REVIEWS) throw reviewUnavailable(this.#trust.cluster);
    const review = this.#review(token, { hash, claims, expireTime })
      .finally(() => this.#reviews.delete(hash));
    this.#reviews.set(hash, review);
    return await review;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#reviews.values());
  }

  /**
   * Refuses what the cluster would refuse as well, without asking it.
   * @returns when the token expires
   */
  #check({ sub, aud, exp }: Claims): number {
    const { audience, skewSeconds, subjectOf } = this.#trust;
    // It throws for names that are not a service account's.
    subjectOf({ ...(typeof sub === "string" && { sub }) });
    if (![aud].flat().includes(audience)) {
      throw credentialsInvalid("its token is for another audience");
    }
    if (typeof exp !== "number") throw credentialsInvalid("its token does not expire");
    const expireTime = (exp + skewSeconds) * 1_000;
    if (expireTime <= this.#clock.now()) throw credentialsExpired();
    return expireTime;
  }

  async #review(token: string, { hash, claims, expireTime }: {
    readonly hash: string;
    readonly claims: Claims;
    readonly expireTime: number;
  }): Promise<Authenticated> {
    const { audience, authentication, subjectOf } = this.#trust;
    const { username, audiences } = await this.#ask(token);
    if (username === null || username !== claims["sub"] || !audiences.includes(audience)) {
      this.#refuse(hash);
      throw notAccepted();
    }
    return { ...subjectOf({ sub: username }), authentication, expireTime };
  }

  async #ask(token: string): ReturnType<TokenReviewer["reviewToken"]> {
    const { cluster, audience } = this.#trust;
    const failure = this.#failure;
    if (failure && failure.until > this.#clock.monotonic()) {
      throw reviewUnavailable(cluster, failure.error);
    }
    const answered = new AbortController();
    const late = new AbortController();
    const waiting = AbortSignal.any([answered.signal, this.#closed.signal]);
    void sleepUnlessAborted(this.#clock, REVIEW_MS, waiting)
      .then((slept) => slept && late.abort(new Error(`no answer within ${REVIEW_MS} ms`)));
    const signal = AbortSignal.any([late.signal, this.#closed.signal]);
    try {
      return await this.#reviewer.reviewToken({ cluster, token, audience }, { signal });
    } catch (error) {
      this.#failure = { until: this.#clock.monotonic() + PAUSE_MS, error };
      if (!this.#closed.signal.aborted) {
        log.warning("Cannot review tokens by cluster {cluster}: {error}", {
          cluster,
          error: recordError(error),
        });
      }
      throw reviewUnavailable(cluster, error);
    } finally {
      answered.abort();
    }
  }

  #refuse(hash: string): void {
    this.#refused.delete(hash);
    this.#refused.set(hash, this.#clock.monotonic() + REFUSED_MS);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > MAX_REFUSED && oldest !== undefined) this.#refused.delete(oldest);
  }
}

const notAccepted = () => credentialsInvalid("its token is not accepted by its cluster");
