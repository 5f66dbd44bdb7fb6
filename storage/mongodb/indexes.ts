/** Every index besides those by `_id`, created and checked when a store is opened. */
import type { IndexSpecification } from "mongodb";
import type { CollectionName } from "./codec.ts";

export interface Index {
  readonly name: string;
  readonly fields: readonly string[];
  readonly unique?: boolean;
  /** Leaves out the documents without its field. */
  readonly sparse?: boolean;
}

/** Finds documents whose events a crash has kept from the log. */
export const OUTBOX: Index = { name: "outbox", fields: ["outbox.id"], sparse: true };

/** By the fields in order, then by name. */
const by = (...keys: readonly string[]): Index => ({
  name: keys.join("_"),
  fields: [...keys.map((key) => `value.${key}`), "_id"],
});

const RESOURCE: readonly Index[] = [
  "uid",
  "createTime",
  "updateTime",
  "currentOperation",
  "lastOperation",
  "state",
].map((key) => by(key));

/**
 * One index for each order, and for what is often asked together: first the fields that a query
 * fixes, then the order ("The ESR Guideline", MongoDB manual).
 */
export const INDEXES: Readonly<Record<CollectionName, readonly Index[]>> = {
  environments: [
    OUTBOX,
    ...RESOURCE,
    by("expireTime"),
    by("deletionProtection"),
    by("cluster"),
    by("state", "createTime"),
  ],
  workloads: [
    OUTBOX,
    ...RESOURCE,
    by("spec.image"),
    by("spec.replicas"),
    by("activeRevision"),
    by("state", "createTime"),
  ],
  revisions: [OUTBOX, by("number")],
  operations: [
    OUTBOX,
    { name: "request", fields: ["request"], unique: true, sparse: true },
    ...["kind", "target", "state", "actor", "engine", "createTime", "updateTime", "endTime"]
      .map((key) => by(key)),
    by("retryOf"),
    by("state", "createTime"),
    by("target", "createTime"),
    by("target", "state", "createTime"),
    by("actor", "createTime"),
    by("kind", "createTime"),
  ],
  orphans: [OUTBOX, by("createTime")],
  installations: [OUTBOX],
  claims: [OUTBOX],
  leases: [OUTBOX],
  tokens: [OUTBOX, ...["creator", "createTime", "expireTime", "lastUseTime"].map((key) => by(key))],
  audit: [OUTBOX, by("time"), by("actor", "time"), by("method", "time"), by("target", "time")],
  auditMarks: [OUTBOX],
};

/** Finds the block of a write, and keeps a write from being in the log twice. */
export const EVENT_INDEXES: readonly Index[] = [{ name: "ids", fields: ["ids"], unique: true }];

export const specificationOf = ({ fields }: Index): IndexSpecification =>
  Object.fromEntries(fields.map((field) => [field, 1]));

/**
 * The index that gives the order of a query without a sort, with most of its fields fixed by the
 * query; undefined if none does.
 * @param fixed the fields that the query compares with fixed values
 * @param order the fields of the order, all in one direction; the last one is `_id`
 */
export function indexFor(
  indexes: readonly Index[],
  fixed: ReadonlySet<string>,
  order: readonly string[],
): Index | undefined {
  let best: { readonly index: Index; readonly start: number } | undefined;
  for (const index of indexes) {
    if (index.sparse) continue;
    const { fields } = index;
    const start = fields.length - order.length;
    if (start < 0 || !order.every((field, at) => fields[start + at] === field)) continue;
    if (!fields.slice(0, start).every((field) => fixed.has(field))) continue;
    if (!best || start > best.start) best = { index, start };
  }
  return best?.index;
}
