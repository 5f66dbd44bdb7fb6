import { idOf, type Token, tokenPrincipal } from "@mpc/domain";
import { type Call, PEER_CERTIFICATE, type PeerCertificate } from "@mpc/process";
import {
  type Clock,
  SECRET_PREFIX,
  type SignIn,
  StaticTokens,
  type TokenReviewer,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { Authenticated } from "./authenticated.ts";
import { certificateIdentity } from "./certificate_identity.ts";
import { credentialsInvalid, credentialsMissing } from "./refusals.ts";
import type { AuthenticationSettings } from "./settings.ts";
import { SignedTokens } from "./signed_tokens.ts";

/** What authenticators need. */
export interface AuthenticationDeps {
  readonly store: Pick<Store, "tokens">;
  readonly clock: Clock;
  /** Asks clusters about the tokens of their service accounts. */
  readonly reviewer: TokenReviewer;
  /** The section of the access file as it is now; another object after each reload. */
  readonly settings: () => AuthenticationSettings;
}

/** Turns the credentials of calls into identities. */
export interface Authentication {
  /**
   * Authenticates a call by its bearer token; by its client certificate if it has no token.
   * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_MISSING`, `CREDENTIALS_INVALID` or
   *   `CREDENTIALS_EXPIRED`, UNAVAILABLE `ISSUER_UNAVAILABLE`
   */
  readonly authenticate: (call: Pick<Call, "context">) => Authenticated | Promise<Authenticated>;
  /** How clients sign in. */
  readonly signIn: () => SignIn;
  /** The static tokens of this process. */
  readonly tokens: StaticTokens;
  close(): Promise<void>;
}

/** A bearer token (RFC 6750, section 2.1). The scheme's case does not matter (RFC 9110, 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Opens the authentication of one process. */
export function openAuthentication(
  { store, clock, reviewer, settings }: AuthenticationDeps,
): Authentication {
  const tokens = new StaticTokens({ store, clock });
  const signed = new SignedTokens(clock, reviewer);
  const byStaticToken = (secret: string, signal: AbortSignal) => {
    if (!settings().tokens) throw credentialsInvalid("the server accepts no static tokens");
    const token = tokens.verify(secret, signal);
    return token instanceof Promise ? token.then(tokenIdentity) : tokenIdentity(token);
  };
  const byCertificate = (certificate: PeerCertificate | null) => {
    const { clientCertificates } = settings();
    if (!certificate || !clientCertificates) throw credentialsMissing();
    return certificateIdentity(certificate, clientCertificates, clock.now());
  };
  return {
    authenticate({ context }) {
      const given = context.requestHeader.get("authorization");
      if (given === null) return byCertificate(context.values.get(PEER_CERTIFICATE));
      const bearer = BEARER.exec(given)?.[1];
      if (bearer === undefined) {
        throw credentialsInvalid("the call must have one header 'authorization: Bearer TOKEN'");
      }
      return bearer.startsWith(SECRET_PREFIX)
        ? byStaticToken(bearer, context.signal)
        : signed.authenticate(bearer, settings());
    },
    signIn: () => signInOf(settings()),
    tokens,
    async close() {
      await Promise.all([tokens.close(), signed.close()]);
    },
  };
}

const tokenIdentity = ({ name, groups, expireTime }: Token): Authenticated => ({
  principal: tokenPrincipal(idOf(name)),
  groups,
  kind: "service",
  authentication: "TOKEN",
  expireTime,
});

function signInOf({ oidc, tokens, clientCertificates }: AuthenticationSettings): SignIn {
  return {
    issuers: oidc.map(({ name, issuer, clientId = "", scopes, audience = "" }) => ({
      name,
      issuer,
      clientId,
      scopes,
      audience: audience === clientId ? "" : audience,
    })),
    tokensAccepted: tokens,
    clientCertificatesAccepted: clientCertificates !== undefined,
    credentialsRequired: true,
  };
}
