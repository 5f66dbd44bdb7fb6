import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  CreateTokenResponseSchema,
  GetSignInResponseSchema,
  ListTokensResponseSchema,
  RevokeTokenResponseSchema,
  type TokenService,
} from "@mpc/proto";
import {
  createToken,
  listTokens,
  revokeToken,
  type ServiceDeps,
  type SignIn,
  type StaticTokens,
} from "@mpc/services";
import { fromToken, toToken } from "./mapping/token_mapping.ts";

/** What the token methods need besides the dependencies of use cases. */
export interface Authentication {
  /** How clients sign in. */
  readonly signIn: () => SignIn;
  /** The static tokens of this process. */
  readonly tokens: StaticTokens;
}

/** The token methods of the API. */
export function tokenService(
  deps: ServiceDeps,
  { signIn, tokens }: Authentication,
): ServiceImpl<typeof TokenService> {
  return {
    getSignIn() {
      const { issuers, tokensAccepted, clientCertificatesAccepted, credentialsRequired } = signIn();
      return create(GetSignInResponseSchema, {
        issuers: issuers.map((issuer) => ({ ...issuer, scopes: [...issuer.scopes] })),
        tokensAccepted,
        clientCertificatesAccepted,
        credentialsRequired,
      });
    },
    async createToken({ tokenId, token }, context) {
      const created = await createToken(deps, callerOf(context), {
        tokenId,
        token: fromToken(token),
      });
      const { secret } = created;
      return create(CreateTokenResponseSchema, { token: toToken(created.token), secret });
    },
    async listTokens(request, context) {
      const { items, nextPageToken } = await listTokens(deps, callerOf(context), request);
      return create(ListTokensResponseSchema, { tokens: items.map(toToken), nextPageToken });
    },
    async revokeToken(request, context) {
      await revokeToken(deps, tokens, callerOf(context), request);
      return create(RevokeTokenResponseSchema);
    },
  };
}
