import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** A fingerprint of any JSON, the same for the same content in any order of keys (RFC 8785). */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalize(value) ?? "").digest("base64url");
}
