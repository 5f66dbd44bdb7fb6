import type { Clock } from "@mpc/services";
import type { JWTPayload } from "jose";
import type { Authenticated } from "./authenticated.ts";
import { IssuerKeys } from "./issuer_keys.ts";
import { loadKeys } from "./load_keys.ts";
import { credentialsExpired, credentialsInvalid } from "./refusals.ts";
import type { Subject } from "./token_identity.ts";

/** What an issuer's tokens must be, and whom they are about. */
export interface Trust {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly skewSeconds: number;
  readonly keepKeysHours: number;
  readonly keysFile?: string | undefined;
  readonly caFile?: string | undefined;
  /** The kind of credentials that its tokens are. */
  readonly authentication: "OIDC" | "SERVICE_ACCOUNT";
  readonly subjectOf: (claims: JWTPayload) => Subject;
}

/** What is wrong with a claim, for callers. */
const CLAIM_PROBLEMS: Readonly<Record<string, string>> = {
  aud: "its token is for another audience",
  iss: "its token is of another issuer",
  nbf: "its token is not valid yet",
};

/** Verifies the tokens of one issuer. */
export class Issuer {
  readonly #trust: Trust;
  readonly #clock: Clock;
  readonly #keys: IssuerKeys;

  constructor(trust: Trust, clock: Clock) {
    this.#trust = trust;
    this.#clock = clock;
    this.#keys = new IssuerKeys({
      issuer: trust.issuer,
      clock,
      keepMs: trust.keepKeysHours * 3_600_000,
      load: (signal) => loadKeys(trust, { clock, signal }),
    });
  }

  /**
   * Verifies the signature and the claims of a token ("Best Current Practices for JSON Web Tokens",
   * RFC 8725). Keys that the token itself names or carries are not looked at.
   * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` or `CREDENTIALS_EXPIRED`, UNAVAILABLE
   *   `ISSUER_UNAVAILABLE`
   */
  async verify(token: string): Promise<Authenticated> {
    const { issuer, audience, algorithms, skewSeconds, authentication, subjectOf } = this.#trust;
    const { errors, jwtVerify } = await import("jose");
    try {
      const { payload } = await jwtVerify(token, (header, jws) => this.#keys.find(header, jws), {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: skewSeconds,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ["exp"],
      });
      if (typeof payload.sub !== "string" || payload.sub === "") {
        throw credentialsInvalid("its token names no subject");
      }
      const expireTime = (payload.exp! + skewSeconds) * 1_000;
      return { ...subjectOf(payload), authentication, expireTime };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw credentialsExpired(error);
      if (error instanceof errors.JWTClaimValidationFailed) {
        throw credentialsInvalid(
          CLAIM_PROBLEMS[error.claim] ?? "a claim of its token is missing or not valid",
          error,
        );
      }
      if (error instanceof errors.JOSEAlgNotAllowed) {
        const allowed = algorithms.join(", ");
        throw credentialsInvalid(`its token is not signed by one of ${allowed}`, error);
      }
      if (error instanceof errors.JWKSNoMatchingKey) {
        throw credentialsInvalid(
          "its token is signed by a key that its issuer does not have",
          error,
        );
      }
      if (error instanceof errors.JOSEError) {
        throw credentialsInvalid("its token has no valid signature of its issuer", error);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#keys.close();
  }
}
