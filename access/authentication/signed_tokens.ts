import type { Clock, TokenReviewer } from "@mpc/services";
import type { JWTPayload } from "jose";
import type { Authenticated } from "./authenticated.ts";
import { Issuer, type Trust } from "./issuer.ts";
import { claimsOf } from "./jwt_parts.ts";
import { credentialsInvalid } from "./refusals.ts";
import { ReviewedTokens } from "./reviewed_tokens.ts";
import type { AuthenticationSettings } from "./settings.ts";
import { serviceAccountOf, userOf } from "./token_identity.ts";
import { hashToken, VerifiedTokens } from "./verified_tokens.ts";

interface Configured {
  /** The settings as text: an issuer whose settings stay the same keeps its keys. */
  readonly settings: string;
  readonly issuer: Issuer | ReviewedTokens;
}

/** Authenticates callers by the tokens that OIDC issuers and clusters have signed. */
export class SignedTokens {
  readonly #clock: Clock;
  readonly #reviewer: TokenReviewer;
  #settings: AuthenticationSettings | undefined;
  /** By the claim `iss`. */
  #issuers: ReadonlyMap<string, Configured> = new Map();
  #verified: VerifiedTokens;

  constructor(clock: Clock, reviewer: TokenReviewer) {
    this.#clock = clock;
    this.#reviewer = reviewer;
    this.#verified = new VerifiedTokens(clock);
  }

  /**
   * The identity of a token. A token that was verified a moment ago is answered without a promise.
   * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` or `CREDENTIALS_EXPIRED`, UNAVAILABLE
   *   `ISSUER_UNAVAILABLE`
   */
  authenticate(
    token: string,
    settings: AuthenticationSettings,
  ): Authenticated | Promise<Authenticated> {
    if (settings !== this.#settings) this.#configure(settings);
    const hash = hashToken(token);
    return this.#verified.get(hash) ?? this.#verify(token, hash);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map(({ issuer }) => issuer.close()));
  }

  async #verify(token: string, hash: string): Promise<Authenticated> {
    const verified = this.#verified;
    const configured = this.#issuers.get(claimsOf(token).iss);
    if (!configured) {
      throw credentialsInvalid("its token is of an issuer that the server does not accept");
    }
    const identity = await configured.issuer.verify(token);
    // Not `this.#verified`: after a reload, the token may no longer be accepted.
    verified.add(hash, identity);
    return identity;
  }

  #open(trust: Trust & { readonly cluster?: string | undefined }): Issuer | ReviewedTokens {
    const clock = this.#clock;
    return trust.cluster === undefined
      ? new Issuer(trust, clock)
      : new ReviewedTokens({ ...trust, cluster: trust.cluster }, {
        clock,
        reviewer: this.#reviewer,
      });
  }

  #configure(settings: AuthenticationSettings): void {
    const trusts = [
      ...settings.oidc.map((oidc) => ({
        ...oidc,
        audience: oidc.audience ?? oidc.clientId ?? "",
        authentication: "OIDC" as const,
        subjectOf: (claims: JWTPayload) => userOf(claims, oidc),
      })),
      ...settings.serviceAccounts.map((accounts) => ({
        ...accounts,
        authentication: "SERVICE_ACCOUNT" as const,
        subjectOf: (claims: JWTPayload) => serviceAccountOf(claims, accounts),
      })),
    ];
    const before = this.#issuers;
    const kept = new Set<Configured>();
    this.#issuers = new Map(trusts.map((trust) => {
      const text = JSON.stringify(trust);
      const known = before.get(trust.issuer);
      if (known?.settings !== text) {
        return [trust.issuer, { settings: text, issuer: this.#open(trust) }];
      }
      kept.add(known);
      return [trust.issuer, known];
    }));
    this.#verified = new VerifiedTokens(this.#clock);
    this.#settings = settings;
    // A call that waits for the keys of a removed issuer fails.
    for (const old of before.values()) if (!kept.has(old)) void old.issuer.close();
  }
}
