/** Every index besides those by `_id`, created and checked when a store is opened. */
import { LIST_ORDERS } from "@mpc/domain";
import type { CollectionName } from "./codec.ts";

/** MongoDB allows 64 indexes of a collection, with that of `_id`. */
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

/** By two fields in opposite directions: the order of most lists in tables. */
const oppositely = (...keys: readonly string[]): Index => ({
  ...by(...keys),
  name: `${keys.join("_")}_down`,
  mixed: true,
});

type Listed = keyof typeof LIST_ORDERS;

/** The indexes of the orders in which a collection is listed; that of the name is there anyway. */
const ordersOf = (collection: Listed): readonly Index[] =>
  LIST_ORDERS[collection].filter((order) => order !== "name").flatMap((order) => {
    const keys = order.split(", ");
    return keys.length === 1 ? [by(...keys)] : [by(...keys), oppositely(...keys)];
  });

/**
 * One index for each order, and for what is often asked together: first the fields that a query
 * fixes, then the order ("The ESR Guideline", MongoDB manual).
 */
export const INDEXES: Readonly<Record<CollectionName, readonly Index[]>> = {
  environments: [OUTBOX, ...ordersOf("environments")],
  workloads: [OUTBOX, ...ordersOf("workloads")],
  revisions: [OUTBOX, ...ordersOf("revisions")],
  operations: [
    OUTBOX,
    { name: "request", fields: ["request"], unique: true, sparse: true },
    ...ordersOf("operations"),
    by("engine", "state", "createTime"),
    by("target", "state", "createTime"),
  ],
  orphans: [OUTBOX, ...ordersOf("orphans")],
  installations: [OUTBOX],
  claims: [OUTBOX],
  leases: [OUTBOX],
  tokens: [OUTBOX, ...ordersOf("tokens")],
  audit: [
    OUTBOX,
    ...ordersOf("audit"),
    by("actor", "time"),
    by("method", "time"),
    by("target", "time"),
  ],
  auditMarks: [OUTBOX],
  eventSinks: [OUTBOX, ...ordersOf("eventSinks")],
  deadLetters: [OUTBOX, ...ordersOf("deadLetters"), by("resendTime")],
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
 * From how many places a server begins to read an index at the same time, to merge them in order.
 * With more, MongoDB sorts (200 is the default of `internalQueryMaxScansToExplode`).
 */
const MAX_SCANS = 200;

/**
 * The index that gives the order of a query without a sort, read forwards or backwards, with most of
 * its fields fixed by the query; undefined if none does.
 * @param fixed the fields that the query compares with fixed values, and with how many
 * @param order the fields of the order; the last one is `_id`
 */
export function indexFor(
  indexes: readonly Index[],
  fixed: ReadonlyMap<string, number>,
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
    const scans = fields.slice(0, start)
      .reduce((product, field) => product * (fixed.get(field) ?? Infinity), 1);
    if (scans > MAX_SCANS) continue;
    if (!best || start > best.start) best = { index, start };
  }
  return best?.index;
}
