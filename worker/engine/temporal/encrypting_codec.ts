import { MpcError } from "@mpc/domain";
import type { Payload, PayloadCodec } from "@temporalio/common";

/** Identifies the encoding of a payload, like Temporal's `json/plain`. */
const ENCODING = "binary/encrypted";

/** AES-256-GCM with a separate nonce for each payload (NIST SP 800-38D). */
const ALGORITHM = "AES-GCM";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/**
 * Encrypts every payload for Temporal, so that only workers with the key can read names, kinds and
 * results. Search attributes stay unencrypted, because Temporal searches by them.
 * @param keyText 32 bytes in base64, for instance from `openssl rand -base64 32`
 * @throws {MpcError} INVALID_ARGUMENT `PAYLOAD_KEY_INVALID`
 */
export async function encryptingCodec(keyText: string): Promise<PayloadCodec> {
  const bytes = keyBytes(keyText);
  const key = await crypto.subtle.importKey("raw", bytes, ALGORITHM, false, ["encrypt", "decrypt"]);
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 8);
  return {
    encode: (payloads) => Promise.all(payloads.map((payload) => encrypt(payload, key, id))),
    decode: (payloads) => Promise.all(payloads.map((payload) => decrypt(payload, key, id))),
  };
}

function keyBytes(text: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.fromBase64(text.trim());
    if (bytes.length === KEY_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new MpcError("INVALID_ARGUMENT", {
    reason: "PAYLOAD_KEY_INVALID",
    message: `Cannot use the payload key: it must be ${KEY_BYTES} bytes in base64, ` +
      `as 'openssl rand -base64 ${KEY_BYTES}' makes them`,
  });
}

async function encrypt(payload: Payload, key: CryptoKey, id: string): Promise<Payload> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: ALGORITHM, iv }, key, toBytes(payload));
  const data = new Uint8Array(iv.length + sealed.byteLength);
  data.set(iv);
  data.set(new Uint8Array(sealed), iv.length);
  const metadata = { encoding: utf8(ENCODING), key: utf8(id) };
  return { metadata, data };
}

async function decrypt(payload: Payload, key: CryptoKey, id: string): Promise<Payload> {
  const { encoding, key: used } = payload.metadata ?? {};
  // Payloads of the time before there was a key stay readable.
  if (!encoding || text(encoding) !== ENCODING) return payload;
  if (used && text(used) !== id) throw wrongKey(text(used), id);
  const data = new Uint8Array(payload.data ?? []);
  const iv = data.subarray(0, NONCE_BYTES);
  const opened = await crypto.subtle.decrypt(
    { name: ALGORITHM, iv },
    key,
    data.subarray(NONCE_BYTES),
  );
  return fromBytes(new Uint8Array(opened));
}

function wrongKey(used: string, id: string): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "PAYLOAD_KEY",
    message: `Cannot read a payload: it is encrypted by key '${used}', this worker has '${id}'`,
  });
}

const utf8 = (value: string) => new TextEncoder().encode(value);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A payload as JSON, with its bytes in base64. */
function toBytes({ metadata, data }: Payload): Uint8Array<ArrayBuffer> {
  const inBase64 = (bytes: Uint8Array) => new Uint8Array(bytes).toBase64();
  return utf8(JSON.stringify({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, bytes]) => [name, inBase64(bytes)]),
    ),
    data: inBase64(data ?? new Uint8Array()),
  }));
}

function fromBytes(bytes: Uint8Array): Payload {
  const { metadata, data } = JSON.parse(text(bytes)) as {
    metadata: Record<string, string>;
    data: string;
  };
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, Uint8Array.fromBase64(value)]),
    ),
    data: Uint8Array.fromBase64(data),
  };
}
