import { MpcError } from "@mpc/domain";

/** AES-256-GCM with a random nonce for each ciphertext (NIST SP 800-38D, 8.2.2). */
const ALGORITHM = "AES-GCM";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts with its first key, and decrypts with all of them. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, CryptoKey>;
  /** The id of the key that encrypts: the first 8 hex digits of its SHA-256. */
  readonly first: string;

  private constructor(keys: readonly (readonly [id: string, key: CryptoKey])[]) {
    this.#keys = new Map(keys);
    this.first = keys[0]![0];
  }

  /**
   * @param keyTexts keys of 32 bytes in base64, one per line, as in the file of Temporal's payload keys
   * @throws {MpcError} INVALID_ARGUMENT `ENCRYPTION_KEY_INVALID`
   */
  static async parse(keyTexts: string): Promise<KeyRing> {
    return new KeyRing(await Promise.all(keyTexts.trim().split(/\s+/).map(keyOf)));
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /**
   * Encrypts a text by the first key.
   * @param place what the ciphertext belongs to; it cannot be decrypted as anything else
   * @returns nonce, ciphertext and tag in base64
   */
  async encrypt(text: string, place: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const options = { name: ALGORITHM, iv, additionalData: utf8(place) };
    const sealed = await crypto.subtle.encrypt(options, this.#keys.get(this.first)!, utf8(text));
    const bytes = new Uint8Array(iv.length + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), iv.length);
    return bytes.toBase64();
  }

  /**
   * Decrypts what {@linkcode encrypt} has made, perhaps by an earlier key.
   * @returns undefined if it was changed or belongs to another place
   */
  async decrypt(id: string, sealed: string, place: string): Promise<string | undefined> {
    const bytes = Uint8Array.fromBase64(sealed);
    const key = this.#keys.get(id);
    if (!key || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const iv = bytes.subarray(0, NONCE_BYTES);
    const options = { name: ALGORITHM, iv, additionalData: utf8(place) };
    try {
      const opened = await crypto.subtle.decrypt(options, key, bytes.subarray(NONCE_BYTES));
      return new TextDecoder().decode(opened);
    } catch (error) {
      // The tag does not fit.
      if (error instanceof DOMException && error.name === "OperationError") return undefined;
      throw error;
    }
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);

async function keyOf(text: string): Promise<readonly [id: string, key: CryptoKey]> {
  const bytes = keyBytes(text);
  const key = await crypto.subtle.importKey("raw", bytes, ALGORITHM, false, ["encrypt", "decrypt"]);
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 8);
  return [id, key];
}

function keyBytes(text: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.fromBase64(text);
    if (bytes.length === KEY_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new MpcError("INVALID_ARGUMENT", {
    reason: "ENCRYPTION_KEY_INVALID",
    message: `Cannot use the encryption key: it must be ${KEY_BYTES} bytes in base64, ` +
      `as 'openssl rand -base64 ${KEY_BYTES}' makes them`,
  });
}
