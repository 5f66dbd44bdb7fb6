import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** A hash of a JSON value that does not depend on the order of keys (RFC 8785). */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalize(value) ?? "").digest("base64url");
}
