/** Signatures by Standard Webhooks 1.0 (https://www.standardwebhooks.com), symmetric: `v1`. */
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DeliveryFailure } from "./delivery_failure.ts";

/** While secrets are rotated, a file has the new one and the old one. */
const MAX_SECRETS = 4;

/** The specification asks for 24 to 64 random bytes. */
const [MIN_BYTES, MAX_BYTES] = [24, 64];

/**
 * Reads the secrets of a sink, one a line: `whsec_` and base64.
 * @throws {DeliveryFailure} if the file cannot be read or has something else
 */
export async function readSecrets(path: string): Promise<readonly Uint8Array[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new DeliveryFailure(`Cannot read the secret file '${path}'`, { cause: error });
  }
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const secrets = lines.map(secretOf);
  if (secrets.length > 0 && secrets.length <= MAX_SECRETS && !secrets.includes(undefined)) {
    return secrets.filter((secret) => secret !== undefined);
  }
  throw new DeliveryFailure(
    `The secret file '${path}' must have 1 to ${MAX_SECRETS} lines, each 'whsec_' and ` +
      `${MIN_BYTES} to ${MAX_BYTES} bytes in base64, as "echo whsec_$(openssl rand -base64 32)" makes it`,
  );
}

function secretOf(line: string): Uint8Array | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  if (base64 === undefined) return undefined;
  const secret = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return secret.length >= MIN_BYTES && secret.length <= MAX_BYTES ? secret : undefined;
}

/**
 * The headers that sign a message.
 * @param seconds since 1970, when the attempt begins: receivers refuse old signatures
 */
export function signatureHeaders(
  { id, seconds, body }: { readonly id: string; readonly seconds: number; readonly body: string },
  secrets: readonly Uint8Array[],
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const mac = createHmac("sha256", secret).update(`${id}.${seconds}.${body}`).digest("base64");
    return `v1,${mac}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}
