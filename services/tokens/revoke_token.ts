import { idOf, invalidArgument, isMpcError, MpcError, tokenPrincipal } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { StaticTokens } from "./static_tokens.ts";

export interface RevokeTokenRequest {
  readonly name: string;
  /** Succeeds if there is no such token. */
  readonly allowMissing: boolean;
}

const ACTION = "revoke token";

/**
 * Revokes a token. Without the permission, callers may revoke the token that they use and those that
 * they have created.
 * @param tokens of this process, which refuse the token at once
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `TOKEN_NOT_FOUND`,
 *   PERMISSION_DENIED
 */
export async function revokeToken(
  { store, authorizer }: ServiceDeps,
  tokens: StaticTokens,
  caller: Caller,
  { name, allowMissing }: RevokeTokenRequest,
): Promise<void> {
  assertTokenName(name);
  const { principal, signal } = caller;
  let allowed = principal === tokenPrincipal(idOf(name));
  for (;;) {
    const stored = await store.tokens.get(name, { signal });
    allowed ||= stored?.value.creator === principal;
    if (!allowed) {
      await authorizer.authorize(caller, { permission: "tokens.revoke", resource: null });
      allowed = true;
    }
    if (!stored) {
      tokens.forget(name);
      if (allowMissing) return;
      throw new MpcError("NOT_FOUND", {
        reason: "TOKEN_NOT_FOUND",
        message: `Cannot ${ACTION} '${idOf(name)}': there is no token '${name}'`,
        metadata: { resource: name },
      });
    }
    try {
      await store.tokens.delete(name, stored.version, { signal });
      tokens.forget(name);
      return;
    } catch (error) {
      // Its last use was written meanwhile, or another caller has revoked it.
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

function assertTokenName(name: string): void {
  if (/^tokens\/[^/]{1,63}$/.test(name)) return;
  throw invalidArgument(ACTION, [{
    field: "name",
    value: name.slice(0, 100),
    rule: "RESOURCE_NAME",
    hint: "must be tokens/{token}",
  }]);
}
