/**
 * How documents are stored in MongoDB. Keys are escaped, because the keys of labels and inputs may
 * have dots and dollars, which mean something in paths and in updates.
 */
import type { ObjectId } from "mongodb";
import {
  type AuditMark,
  type AuditRecord,
  type ClusterClaim,
  type DeadLetter,
  type Environment,
  type EventSink,
  type Installation,
  type JsonObject,
  type JsonValue,
  type Lease,
  MpcError,
  type NewEvent,
  type Operation,
  type Orphan,
  type Revision,
  type Token,
  type Workload,
} from "@mpc/domain";
import type { Stored } from "../store.ts";

/** The events of one write, until they are in the log. */
export interface OutboxEntry {
  /** The id of the write, which the log accepts once. */
  readonly id: ObjectId;
  readonly events: readonly JsonValue[];
}

/** A document as it is stored. */
export interface MongoDocument {
  readonly _id: string;
  /** The schema of `value`. */
  readonly schema: number;
  readonly version: number;
  /** The id of the last write, by which a writer recognizes its own after a lost answer. */
  readonly write: ObjectId;
  /** Absent in a tombstone. */
  readonly value?: JsonObject;
  /** Whether it is a tombstone: a deleted document whose events are not in the log yet. */
  readonly deleted?: true;
  /** The events that may not be in the log yet, oldest first; absent if there are none. */
  readonly outbox?: readonly OutboxEntry[];
  /** Actor and request id of an operation, which are unique together; absent without a request id. */
  readonly request?: string;
}

/** Turns a value of the schema before into one of the next schema. */
export type Upgrade = (value: JsonObject) => JsonObject;

/** Encodes and decodes the documents of one collection. */
export class Codec<T extends { readonly name: string }> {
  /** The schema that this version writes. */
  readonly schema: number;
  readonly #upgrades: readonly Upgrade[];
  readonly #requestOf: (value: T) => string | undefined;

  /**
   * @param options.upgrades in order; the first one turns schema 1 into schema 2
   * @param options.requestOf the unique key besides the name, if any
   */
  constructor(options: {
    readonly upgrades?: readonly Upgrade[];
    readonly requestOf?: (value: T) => string | undefined;
  } = {}) {
    this.#upgrades = options.upgrades ?? [];
    this.#requestOf = options.requestOf ?? (() => undefined);
    this.schema = this.#upgrades.length + 1;
  }

  /** The fields of a document that depend on its value. */
  encode(value: T): Pick<MongoDocument, "schema" | "value" | "request"> {
    const request = this.#requestOf(value);
    return {
      schema: this.schema,
      value: encodeJson(value) as JsonObject,
      ...(request !== undefined && { request }),
    };
  }

  /**
   * The value of a document that is not a tombstone, upgraded to the schema of this version.
   * @throws {MpcError} FAILED_PRECONDITION `STORE_TOO_NEW`, DATA_LOSS `STORE_CORRUPT`
   */
  decode({ _id, schema, version, value }: Omit<MongoDocument, "write">): Stored<T> {
    if (schema > this.schema) {
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "STORE_TOO_NEW",
        message: `Cannot read '${_id}': a newer version wrote it (schema ${schema}), ` +
          `this one knows schema ${this.schema}; update`,
        metadata: { found: String(schema), known: String(this.schema) },
      });
    }
    const decoded = value === undefined ? undefined : decodeJson(value);
    if (typeof decoded !== "object" || decoded === null || !Number.isInteger(version)) {
      throw new MpcError("DATA_LOSS", {
        reason: "STORE_CORRUPT",
        message: `Cannot read '${_id}': its document is damaged; restore the database from a ` +
          "backup, or remove that document",
        metadata: { resource: _id },
      });
    }
    const current = this.#upgrades.slice(schema - 1)
      .reduce((before, upgrade) => upgrade(before), decoded as JsonObject);
    return { value: current as unknown as T, version };
  }
}

/** One codec per collection, by the collection's name. */
export const CODECS = {
  environments: new Codec<Environment>(),
  workloads: new Codec<Workload>(),
  revisions: new Codec<Revision>(),
  operations: new Codec<Operation>({
    requestOf: ({ actor, requestId }) =>
      requestId === null ? undefined : requestKey(actor, requestId),
  }),
  orphans: new Codec<Orphan>(),
  installations: new Codec<Installation>(),
  claims: new Codec<ClusterClaim>(),
  leases: new Codec<Lease>(),
  tokens: new Codec<Token>(),
  audit: new Codec<AuditRecord>(),
  auditMarks: new Codec<AuditMark>(),
  eventSinks: new Codec<EventSink>(),
  deadLetters: new Codec<DeadLetter>(),
} as const;

export type CollectionName = keyof typeof CODECS;

export const requestKey = (actor: string, requestId: string): string =>
  JSON.stringify([actor, requestId]);

/** An event as the outbox and the log store it. */
export const encodeEvent = (event: NewEvent): JsonValue => encodeJson(event);

export const decodeEvent = (event: JsonValue): NewEvent => decodeJson(event) as unknown as NewEvent;

/**
 * Keys that would mean something to the driver or to JavaScript. The driver looks up the keys of
 * documents in plain objects, so those that every object inherits are among them.
 */
const RESERVED = new Set(["_bsontype", ...Object.getOwnPropertyNames(Object.prototype)]);

/** Most keys, which need no escape unless they are reserved. */
const PLAIN = /^[A-Za-z0-9]+$/;

/** A key as it is stored: without dots, NUL, and dollars at the beginning; never empty. */
export function encodeKey(key: string): string {
  if (PLAIN.test(key) && !RESERVED.has(key)) return key;
  if (key === "") return "%";
  const escaped = key.replace(/[%.\0]|^\$/g, (char) => `%${hex(char)}`);
  return RESERVED.has(escaped) ? `%${hex(escaped)}${escaped.slice(1)}` : escaped;
}

function decodeKey(key: string): string {
  if (!key.includes("%")) return key;
  if (key === "%") return "";
  return key.replace(/%([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

/** The code of the first character. */
const hex = (text: string): string =>
  text.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");

/** Copies a value as JSON would, with its keys escaped. */
function encodeJson(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map((each) => encodeJson(each ?? null));
  if (typeof value !== "object" || value === null) return value as JsonValue;
  const encoded: Record<string, JsonValue> = {};
  for (const [key, each] of Object.entries(value)) {
    if (each !== undefined) encoded[encodeKey(key)] = encodeJson(each);
  }
  return encoded;
}

function decodeJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(decodeJson);
  if (typeof value !== "object" || value === null) return value;
  const decoded: Record<string, JsonValue> = {};
  for (const [key, each] of Object.entries(value)) {
    const name = decodeKey(key);
    // An assignment to `__proto__` would set the prototype.
    if (name !== "__proto__") decoded[name] = decodeJson(each);
    else {
      Object.defineProperty(decoded, name, {
        value: decodeJson(each),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return decoded;
}
