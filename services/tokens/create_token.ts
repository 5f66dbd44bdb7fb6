import {
  type Instant,
  invalidArgument,
  isMpcError,
  MpcError,
  parseTokenInput,
  type Token,
  type TokenInput,
  tokenName,
  TTL_LIMITS_MS,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { hashSecret, newSecret } from "./secret.ts";

/** The fields in the API's structure, in camelCase; validated here. */
export interface CreateTokenRequest {
  readonly tokenId: string;
  readonly token: unknown;
}

export interface CreatedToken {
  readonly token: Stored<Token>;
  /** Shown once: only its hash is kept. */
  readonly secret: string;
}

const ACTION = "create token";

/** Valid tokens in all. The limit is soft: simultaneous requests may exceed it by their number. */
export const MAX_TOKENS = 1_000;

const DEFAULT_TTL_MS = 90 * 24 * 3_600_000;

/** How long an expired token stays listed. */
const KEEP_EXPIRED_MS = 7 * 24 * 3_600_000;

/**
 * Creates a static token. Whoever may create tokens may be any `token:…` and in any group, so the
 * permission is one for administrators. An expired token of the same name is replaced.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, ALREADY_EXISTS `TOKEN_EXISTS`,
 *   RESOURCE_EXHAUSTED `TOO_MANY_TOKENS`, PERMISSION_DENIED
 */
export async function createToken(
  deps: ServiceDeps,
  caller: Caller,
  { tokenId, token }: CreateTokenRequest,
): Promise<CreatedToken> {
  const { store, clock, ids, authorizer } = deps;
  const { signal, principal } = caller;
  await authorizer.authorize(caller, { permission: "tokens.create", resource: null });
  const input = parseTokenInput(ACTION, { tokenId, token });
  const now = clock.now();
  const expireTime = expireTimeOf(now, input);
  const name = tokenName(input.id);
  await deleteExpired(deps, name, now, signal);
  await assertRoom(deps, input.id, now, signal);
  const secret = newSecret(input.id);
  try {
    const created = await store.tokens.create({
      name,
      uid: ids.uuid(),
      displayName: input.displayName,
      groups: [...new Set(input.groups)],
      creator: principal,
      createTime: now,
      expireTime,
      secretHash: hashSecret(secret),
      lastUseTime: null,
    }, { signal });
    return { token: created, secret };
  } catch (error) {
    if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
    throw new MpcError("ALREADY_EXISTS", {
      reason: "TOKEN_EXISTS",
      message: `Cannot ${ACTION} '${input.id}': it exists; choose another name, or revoke it ` +
        `first with 'mpctl token revoke ${input.id}'`,
      metadata: { token: name },
      cause: error,
    });
  }
}

function expireTimeOf(now: Instant, { ttlMs, expireTime }: TokenInput): Instant {
  if (expireTime === null) return now + Math.ceil(ttlMs ?? DEFAULT_TTL_MS);
  const left = expireTime - now;
  if (left >= TTL_LIMITS_MS.min && left <= TTL_LIMITS_MS.max) return expireTime;
  throw invalidArgument(ACTION, [{
    field: "token.expire_time",
    value: "",
    rule: "TTL",
    hint: "must be 1 minute to 365 days from now",
  }]);
}

/** Deletes an expired token of this name, and others that expired long ago. */
async function deleteExpired(
  { store }: ServiceDeps,
  name: string,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  const old = await store.tokens.list({
    filter: { op: "<", path: ["expireTime"], value: now - KEEP_EXPIRED_MS },
    limit: 100,
    signal,
  });
  const same = await store.tokens.get(name, { signal });
  const replaced = same && same.value.expireTime <= now ? [same] : [];
  for (const { value, version } of [...replaced, ...old.items]) {
    try {
      await store.tokens.delete(value.name, version, { signal });
    } catch (error) {
      // Another request is deleting it too.
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

async function assertRoom(
  { store }: ServiceDeps,
  id: string,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  const valid = await store.tokens.count({
    filter: { op: ">", path: ["expireTime"], value: now },
    signal,
  });
  if (valid < MAX_TOKENS) return;
  throw new MpcError("RESOURCE_EXHAUSTED", {
    reason: "TOO_MANY_TOKENS",
    message: `Cannot ${ACTION} '${id}': there are ${MAX_TOKENS} valid tokens already; ` +
      "revoke tokens that nobody uses ('mpctl token list')",
    retryable: false,
  });
}
