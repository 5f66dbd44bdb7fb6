/**
 * Which values of stored documents are secret, and how they are stored: as text that names the key
 * and holds the ciphertext, bound to the document and to the field.
 */
import {
  type ChangeSecret,
  type JsonObject,
  type JsonValue,
  mapSecrets,
  MpcError,
  type Operation,
  type Revision,
  type Workload,
  type WorkloadSpec,
} from "@mpc/domain";
import type { KeyRing } from "./key_ring.ts";

/** Begins an encrypted value: then come the id of its key and the ciphertext. */
const SEALED = /^mpc:sealed:1:([0-9a-f]{8}):/;

/** Stands before a value that is not encrypted, but looks as if it were. */
const PLAIN = "mpc:plain:";

const LOOKS_STORED = /^mpc:(?:sealed|plain):/;

/** Replaces the secret values of a document. */
type MapSecrets<T> = (value: T, change: ChangeSecret) => T;

const inSpec = <T extends { readonly spec: WorkloadSpec }>(value: T, change: ChangeSecret): T => ({
  ...value,
  spec: mapSecrets(value.spec, (secret, path) => change(secret, ["spec", ...path])),
});

/** The collections whose documents have secret values. */
export const SECRETS = {
  workloads: inSpec satisfies MapSecrets<Workload>,
  revisions: inSpec satisfies MapSecrets<Revision>,
  operations: ((operation, change) => ({
    ...operation,
    input: Object.fromEntries(
      Object.entries(operation.input).map(([key, part]) => [
        key,
        hasSpec(part)
          ? inSpec(part, (secret, path) => change(secret, ["input", key, ...path]))
          : part,
      ]),
    ),
    // A hash over few possible secrets tells which one it is.
    requestHash: operation.requestHash && String(change(operation.requestHash, ["requestHash"])),
  })) satisfies MapSecrets<Operation>,
} as const;

export type SecretCollection = keyof typeof SECRETS;

export const SECRET_COLLECTIONS = Object.keys(SECRETS) as readonly SecretCollection[];

function hasSpec(part: JsonValue): part is JsonObject & { readonly spec: WorkloadSpec } {
  return isObject(part) && isObject(part["spec"]) && isObject(part["spec"]["env"]);
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A document as it is stored: with its secret values encrypted, if there is a key. */
export function sealDocument<T extends { readonly name: string }>(
  collection: SecretCollection,
  document: T,
  keys: KeyRing | null,
): T {
  return mapDocument(collection, document, (value, path) => {
    if (keys) {
      const place = placeOf(collection, document.name, path);
      return `mpc:sealed:1:${keys.first}:${keys.encrypt(JSON.stringify(value), place)}`;
    }
    return typeof value === "string" && LOOKS_STORED.test(value) ? `${PLAIN}${value}` : value;
  });
}

/**
 * A document as it was before it was stored.
 * @throws {MpcError} FAILED_PRECONDITION `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG`; DATA_LOSS
 *   `STORE_CORRUPT` if an encrypted value was changed or moved
 */
export function openDocument<T extends { readonly name: string }>(
  collection: SecretCollection,
  document: T,
  keys: KeyRing | null,
): T {
  return mapDocument(collection, document, (value, path) => {
    if (typeof value !== "string" || !LOOKS_STORED.test(value)) return value;
    if (value.startsWith(PLAIN)) return value.slice(PLAIN.length);
    const id = keyIdOf(value);
    if (id !== undefined) assertKeys([id], keys);
    const place = placeOf(collection, document.name, path);
    const sealed = value.replace(SEALED, "");
    const text = id === undefined ? undefined : keys?.decrypt(id, sealed, place);
    if (text !== undefined) return JSON.parse(text);
    throw new MpcError("DATA_LOSS", {
      reason: "STORE_CORRUPT",
      message: `Cannot read '${document.name}': the encrypted value of '${path.join(".")}' was ` +
        "changed or moved",
      metadata: { resource: document.name },
    });
  });
}

/** The key of a stored value; undefined if it is not encrypted. */
export const keyIdOf = (value: JsonValue): string | undefined =>
  typeof value === "string" ? SEALED.exec(value)?.[1] : undefined;

/** Calls `visit` for every secret value of a document. */
export function visitSecrets<T extends { readonly name: string }>(
  collection: SecretCollection,
  document: T,
  visit: (value: JsonValue) => void,
): void {
  mapDocument(collection, document, (value) => {
    visit(value);
    return value;
  });
}

/**
 * @param used the ids of keys that values were encrypted by
 * @throws {MpcError} FAILED_PRECONDITION `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG`
 */
export function assertKeys(used: readonly string[], keys: KeyRing | null): void {
  const unknown = used.filter((id) => !keys?.ids.includes(id));
  if (unknown.length === 0) return;
  const spelled = unknown.map((id) => `'${id}'`).join(", ");
  if (!keys) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "ENCRYPTION_KEY_MISSING",
      message:
        `Cannot use the store: values in it are encrypted by key ${spelled}, and no key was ` +
        "given; start with --encryption-key-file FILE",
      metadata: { keys: unknown.join(",") },
    });
  }
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENCRYPTION_KEY_WRONG",
    message:
      `Cannot use the store: values in it are encrypted by key ${spelled}, the key file has ` +
      `${keys.ids.map((id) => `'${id}'`).join(", ")}; add that key on a line after the first`,
    metadata: { keys: unknown.join(",") },
  });
}

function mapDocument<T extends { readonly name: string }>(
  collection: SecretCollection,
  document: T,
  change: ChangeSecret,
): T {
  const map: unknown = SECRETS[collection];
  return (map as MapSecrets<T>)(document, change);
}

const placeOf = (collection: SecretCollection, name: string, path: readonly string[]): string =>
  JSON.stringify([collection, name, ...path]);
