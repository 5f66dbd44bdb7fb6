import type { Instant } from "./time.ts";

/** A static token: what the platform keeps of it, which is not enough to use it. */
export interface Token {
  /** `tokens/{token}` */
  readonly name: string;
  readonly uid: string;
  /** What it is for, for people. */
  readonly displayName: string;
  /** Groups of a caller with this token. */
  readonly groups: readonly string[];
  /** The principal that created it. */
  readonly creator: string;
  readonly createTime: Instant;
  readonly expireTime: Instant;
  /** SHA-256 of the secret, in hexadecimal. The secret has 256 random bits, so it needs no salt. */
  readonly secretHash: string;
  /** When it was last used, to the minute; null if it never was. */
  readonly lastUseTime: Instant | null;
}

export const tokenName = (token: string): string => `tokens/${token}`;

/** The principal of a caller with a static token, by the token's id. */
export const tokenPrincipal = (token: string): string => `token:${token}`;
