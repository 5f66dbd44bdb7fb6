import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { MpcError } from "@mpc/domain";

/** AES-256-GCM with a random nonce for each value (NIST SP 800-38D, 8.2.2). */
const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts with its first key, and decrypts with all of them. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  /** The id of the key that encrypts: the first 8 hex digits of its SHA-256. */
  readonly first: string;

  /**
   * @param keyTexts keys of 32 bytes in base64, one per line, as in the file of Temporal's payload keys
   * @throws {MpcError} INVALID_ARGUMENT `ENCRYPTION_KEY_INVALID`
   */
  constructor(keyTexts: string) {
    const keys = keyTexts.trim().split(/\s+/).map((text) => {
      const bytes = keyBytes(text);
      const id = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
      return [id, createSecretKey(bytes)] as const;
    });
    this.#keys = new Map(keys);
    this.first = keys[0]![0];
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /**
   * Encrypts a text by the first key.
   * @param place what the ciphertext belongs to; it cannot be decrypted as anything else
   * @returns nonce, ciphertext and tag in base64
   */
  encrypt(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#keys.get(this.first)!, nonce);
    cipher.setAAD(Buffer.from(place));
    const sealed = [cipher.update(text, "utf8"), cipher.final()];
    return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString("base64");
  }

  /**
   * Decrypts what {@linkcode encrypt} has made, perhaps by an earlier key.
   * @returns undefined if it was changed or belongs to another place
   */
  decrypt(id: string, sealed: string, place: string): string | undefined {
    const bytes = Buffer.from(sealed, "base64");
    const key = this.#keys.get(id);
    if (!key || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const ciphertext = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString("utf8");
    } catch {
      // The only failure of decryption: the tag does not fit.
      return undefined;
    }
  }
}

function keyBytes(text: string): Uint8Array {
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
