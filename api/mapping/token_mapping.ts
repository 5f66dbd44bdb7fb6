import { timestampMs } from "@bufbuild/protobuf/wkt";
import { idOf, type Token as TokenRecord, tokenPrincipal } from "@mpc/domain";
import type { Token } from "@mpc/proto";
import type { Stored } from "@mpc/services";
import { fromDuration, timestamp } from "./values.ts";

/** A token in the API's form, which never holds its secret or the hash of it. */
export function toToken({ value }: Stored<TokenRecord>): Token {
  const { name, uid, displayName, groups, creator, createTime, expireTime, lastUseTime } = value;
  return {
    $typeName: "mpc.v1.Token",
    name,
    uid,
    displayName,
    principal: tokenPrincipal(idOf(name)),
    groups: [...groups],
    creator,
    createTime: timestamp(createTime),
    expireTime: timestamp(expireTime),
    ...(lastUseTime !== null && { lastUseTime: timestamp(lastUseTime) }),
  };
}

/** The fields of a new token, for the use case to validate. */
export const fromToken = (token: Token | undefined) => ({
  displayName: token?.displayName ?? "",
  groups: token?.groups ?? [],
  ttlMs: fromDuration(token?.ttl),
  expireTime: token?.expireTime ? timestampMs(token.expireTime) : null,
});
