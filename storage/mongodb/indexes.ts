/** Every index besides those by `_id`, created and checked when a store is opened. */
import type { CollectionName } from "./codec.ts";

export interface Index {
  readonly name: string;
  readonly fields: readonly string[];
  /** Whether its last two fields descend while those before them ascend. */
  readonly mixed?: boolean;
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

/** By a field upwards, then by another one downwards: the order of most lists in tables. */
const byThenNewest = (key: string): Index => ({
  name: `${key}_createTime_down`,
  fields: [`value.${key}`, "value.createTime", "_id"],
  mixed: true,
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
    byThenNewest("state"),
  ],
  workloads: [
    OUTBOX,
    ...RESOURCE,
    by("spec.image"),
    by("spec.replicas"),
    by("activeRevision"),
    by("state", "createTime"),
    byThenNewest("state"),
  ],
  revisions: [OUTBOX, by("number")],
  operations: [
    OUTBOX,
    { name: "request", fields: ["request"], unique: true, sparse: true },
    ...["kind", "target", "state", "actor", "engine", "createTime", "updateTime", "endTime"]
      .map((key) => by(key)),
    by("retryOf"),
    by("state", "createTime"),
    by("engine", "state", "createTime"),
    by("target", "createTime"),
    by("target", "state", "createTime"),
    by("actor", "createTime"),
    by("kind", "createTime"),
    ...["state", "target", "actor", "kind"].map(byThenNewest),
  ],
  orphans: [OUTBOX, by("createTime")],
  installations: [OUTBOX],
  claims: [OUTBOX],
  leases: [OUTBOX],
  tokens: [OUTBOX, ...["creator", "createTime", "expireTime", "lastUseTime"].map((key) => by(key))],
  audit: [OUTBOX, by("time"), by("actor", "time"), by("method", "time"), by("target", "time")],
  auditMarks: [OUTBOX],
  eventSinks: [OUTBOX],
  deadLetters: [OUTBOX, by("resendTime"), by("createTime")],
};

/** Finds the block of a write, and keeps a write from being in the log twice. */
export const EVENT_INDEXES: readonly Index[] = [{ name: "ids", fields: ["ids"], unique: true }];

/** The fields of an index with their directions. */
export type Specification = Readonly<Record<string, 1 | -1>>;

export const specificationOf = ({ fields, mixed }: Index): Specification =>
  Object.fromEntries(
    fields.map((field, at) => [field, mixed && at >= fields.length - 2 ? -1 : 1]),
  );

/**
 * The index that gives the order of a query without a sort, read forwards or backwards, with most of
 * its fields fixed by the query; undefined if none does.
 * @param fixed the fields that the query compares with fixed values
 * @param order the fields of the order; the last one is `_id`
 */
export function indexFor(
  indexes: readonly Index[],
  fixed: ReadonlySet<string>,
  order: readonly { readonly field: string; readonly descending: boolean }[],
): Index | undefined {
  let best: { readonly index: Index; readonly start: number } | undefined;
  for (const index of indexes) {
    if (index.sparse) continue;
    const { fields } = index;
    const start = fields.length - order.length;
    if (start < 0 || !order.every(({ field }, at) => fields[start + at] === field)) continue;
    const specification = specificationOf(index);
    const backwards = order.map(({ field, descending }) =>
      descending !== (specification[field] === -1)
    );
    if (new Set(backwards).size > 1) continue;
    if (!fields.slice(0, start).every((field) => fixed.has(field))) continue;
    if (!best || start > best.start) best = { index, start };
  }
  return best?.index;
}
