/**
 * Which values of stored documents are secret, and how they are stored. All secret values of a document
 * are encrypted together, which takes one call for any number of them. In the place of each value is
 * the id of the key and the value's index; the first one has the ciphertext too. It is bound to the
 * document's name and to the path of every value.
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

/** In the place of an encrypted value: the id of its key, its index, and perhaps the ciphertext. */
const SEALED = /^mpc:sealed:1:([0-9a-f]{8}):(\d{1,6})(?::([A-Za-z0-9+/]+=*))?$/;

/** Stands before a value that is not encrypted, but looks as if it were. */
const PLAIN = "mpc:plain:";

const LOOKS_SEALED = /^mpc:sealed:/;
const LOOKS_STORED = /^mpc:(?:sealed|plain):/;

interface Named {
  readonly name: string;
}

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
  operations: ((operation, change) => {
    const { input, requestHash } = operation;
    if (!Object.values(input).some(hasSpec)) return operation;
    return {
      ...operation,
      input: Object.fromEntries(
        Object.entries(input).map(([key, part]) => [
          key,
          hasSpec(part)
            ? inSpec(part, (secret, path) => change(secret, ["input", key, ...path]))
            : part,
        ]),
      ),
      // A hash over few possible secrets tells which one it is.
      requestHash: String(change(requestHash, ["requestHash"])),
    };
  }) satisfies MapSecrets<Operation>,
} as const;

export type SecretCollection = keyof typeof SECRETS;

export const SECRET_COLLECTIONS = Object.keys(SECRETS) as readonly SecretCollection[];

function hasSpec(part: JsonValue): part is JsonObject & { readonly spec: WorkloadSpec } {
  return isObject(part) && isObject(part["spec"]) && isObject(part["spec"]["env"]);
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A document as a store without a key keeps it: what looks encrypted is marked as not encrypted. */
export function escapeDocument<T extends Named>(collection: SecretCollection, document: T): T {
  return mapDocument(
    collection,
    document,
    (value) => typeof value === "string" && LOOKS_STORED.test(value) ? `${PLAIN}${value}` : value,
  );
}

/** A document as it is stored: with its secret values encrypted. */
export async function sealDocument<T extends Named>(
  collection: SecretCollection,
  document: T,
  keys: KeyRing,
): Promise<T> {
  const secrets = secretsOf(collection, document);
  if (secrets.length === 0) return document;
  const values = secrets.map(({ value }) => value);
  const place = placeOf(collection, document, secrets.map(({ path }) => path));
  const sealed = await keys.encrypt(JSON.stringify(values), place);
  let index = 0;
  return mapDocument(collection, document, () => {
    const mark = `mpc:sealed:1:${keys.first}:${index}`;
    return index++ === 0 ? `${mark}:${sealed}` : mark;
  });
}

/**
 * A document as it was before it was stored.
 * @throws {MpcError} FAILED_PRECONDITION `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG`; DATA_LOSS
 *   `STORE_CORRUPT` if an encrypted value was changed or moved
 */
export async function openDocument<T extends Named>(
  collection: SecretCollection,
  document: T,
  keys: KeyRing | null,
): Promise<T> {
  const secrets = secretsOf(collection, document);
  const isSealed = ({ value }: Secret) => typeof value === "string" && LOOKS_SEALED.test(value);
  if (!secrets.some(isSealed)) {
    return mapDocument(
      collection,
      document,
      (value) =>
        typeof value === "string" && value.startsWith(PLAIN) ? value.slice(PLAIN.length) : value,
    );
  }
  const values = await unseal(collection, document, secrets, keys);
  let position = 0;
  return mapDocument(collection, document, () => values[position++]!);
}

/** The values of encrypted secrets, in the order of the secrets. */
async function unseal(
  collection: SecretCollection,
  document: Named,
  secrets: readonly Secret[],
  keys: KeyRing | null,
): Promise<readonly JsonValue[]> {
  const marks = secrets.map(({ value, path }) => {
    const [, id, index, sealed] = SEALED.exec(String(value)) ?? [];
    return { id, index: Number(index), sealed, path };
  });
  const ids = [...new Set(marks.map(({ id }) => id ?? ""))];
  assertKeys(ids.filter((id) => id !== ""), keys);
  const inOrder = marks.toSorted((one, other) => one.index - other.index);
  const [id = ""] = ids;
  const { sealed = "" } = inOrder[0]!;
  const whole = ids.length === 1 && inOrder.every(({ index }, at) => index === at);
  const place = placeOf(collection, document, inOrder.map(({ path }) => path));
  const text = whole ? await keys?.decrypt(id, sealed, place) : undefined;
  if (text === undefined) {
    throw new MpcError("DATA_LOSS", {
      reason: "STORE_CORRUPT",
      message: `Cannot read '${document.name}': its encrypted values were changed or moved`,
      metadata: { resource: document.name },
    });
  }
  const values: readonly JsonValue[] = JSON.parse(text);
  return marks.map(({ index }) => values[index]!);
}

/** The key of a stored value; undefined if it is not encrypted. */
export const keyIdOf = (value: JsonValue): string | undefined =>
  typeof value === "string" ? SEALED.exec(value)?.[1] : undefined;

interface Secret {
  readonly value: JsonValue;
  readonly path: readonly string[];
}

/** The secret values of a document, as it has them now. */
export function secretsOf<T extends Named>(
  collection: SecretCollection,
  document: T,
): readonly Secret[] {
  const secrets: Secret[] = [];
  mapDocument(collection, document, (value, path) => {
    secrets.push({ value, path });
    return value;
  });
  return secrets;
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

function mapDocument<T extends Named>(
  collection: SecretCollection,
  document: T,
  change: ChangeSecret,
): T {
  const map: unknown = SECRETS[collection];
  return (map as MapSecrets<T>)(document, change);
}

const placeOf = (
  collection: SecretCollection,
  { name }: Named,
  paths: readonly (readonly string[])[],
): string => JSON.stringify([collection, name, paths]);
