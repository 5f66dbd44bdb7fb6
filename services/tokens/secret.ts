import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

/** What every static token begins with, so that scanners for leaked secrets recognize one. */
export const SECRET_PREFIX = "mpc_";

/** The id of the token, then 256 random bits. Ids have no `_`. */
const SECRET = /^mpc_([a-z0-9-]{1,63})_[0-9a-f]{64}$/;

/** A new secret of a token. */
export const newSecret = (token: string): string =>
  `${SECRET_PREFIX}${token}_${randomBytes(32).toString("hex")}`;

/** The id of the token that a secret belongs to; undefined if it does not have the form of one. */
export const tokenOfSecret = (secret: string): string | undefined => SECRET.exec(secret)?.[1];

/** SHA-256 of a secret, in hexadecimal. */
export const hashSecret = (secret: string): string =>
  createHash("sha256").update(secret).digest("hex");

/** Whether two hashes are the same, in a time that does not depend on where they differ. */
export function equalHashes(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
