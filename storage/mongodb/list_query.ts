import { listOrderOf, type OrderKey } from "@mpc/domain";
import type { Cursor, ListQuery } from "../store.ts";
import { nameDescends } from "../shared/order.ts";
import { fieldOf, filterQuery, fixedFields, type Query } from "./filter_query.ts";
import { type Index, indexFor, type Specification, specificationOf } from "./indexes.ts";

/** One `find` of a list. */
export interface PageQuery {
  readonly filter: Query;
  readonly sort: Readonly<Record<string, 1 | -1>>;
  /** The index that gives the order: the server reads it from one end and does not sort. */
  readonly hint: Specification;
}

/** Fields that every document has: a bound on them leaves none out. */
const NEVER_NULL = new Set(
  [
    "createTime",
    "updateTime",
    "number",
    "state",
    "uid",
    "kind",
    "target",
    "actor",
    "engine",
    "time",
  ]
    .map((key) => `value.${key}`),
);

/** The condition of a query, without its cursor. Tombstones are not documents. */
export function conditionQuery({ prefix, filter }: Pick<ListQuery, "prefix" | "filter">): Query {
  const parts: Query[] = [{ deleted: { $exists: false } }];
  // No name contains the highest code point of two bytes.
  if (prefix) parts.push({ _id: { $gte: prefix, $lt: `${prefix}\u07ff` } });
  if (filter) parts.push(filterQuery(filter));
  return { $and: parts };
}

/**
 * The query of one page.
 * @throws {Error} if the order is none of `LIST_ORDERS`, which is a fault of the program
 */
export function pageQuery(query: ListQuery, indexes: readonly Index[]): PageQuery {
  const { prefix, filter, after, orderBy = [] } = query;
  const order = orderOf(orderBy);
  const parts = [conditionQuery({ ...(prefix && { prefix }), ...(filter && { filter }) })];
  if (after) parts.push(afterQuery(order, after));
  const index = indexFor(indexes, fixedFields(filter), order);
  const byName = order.length === 1 && order[0]!.field === "_id";
  if (!index && !byName) throw new Error(`no index for the order '${listOrderOf(orderBy)}'`);
  return {
    filter: { $and: parts },
    sort: Object.fromEntries(order.map(({ field, descending }) => [field, descending ? -1 : 1])),
    hint: index ? specificationOf(index) : { _id: 1 },
  };
}

interface SortKey {
  readonly field: string;
  /** Its position in the request, and in cursors; -1 for the name that breaks ties. */
  readonly at: number;
  readonly descending: boolean;
}

/** The keys up to the name, which decides every tie. */
function orderOf(orderBy: readonly OrderKey[]): readonly SortKey[] {
  const keys = new Map<string, SortKey>();
  for (const [at, { path, descending }] of orderBy.entries()) {
    const field = fieldOf(path);
    if (!keys.has(field)) keys.set(field, { field, at, descending });
    if (field === "_id") return [...keys.values()];
  }
  return [...keys.values(), { field: "_id", at: -1, descending: nameDescends(orderBy) }];
}

/** The condition that a document comes after a cursor. */
function afterQuery(order: readonly SortKey[], after: Cursor): Query {
  const [first] = order;
  const values = order.map(({ field, at }) =>
    field === "_id" ? after.name : after.keys[at] ?? null
  );
  const strict = strictQuery(order, values, 0);
  const value = values[0] ?? null;
  if (!first || value === null || !NEVER_NULL.has(first.field)) return strict;
  // A bound for the index; alone it would list the documents at the cursor again.
  return { $and: [{ [first.field]: { [first.descending ? "$lte" : "$gte"]: value } }, strict] };
}

type Scalar = string | number | boolean | null;

function strictQuery(order: readonly SortKey[], values: readonly Scalar[], at: number): Query {
  const { field, descending } = order[at]!;
  const value = values[at]!;
  if (at === order.length - 1) return { [field]: { [descending ? "$lt" : "$gt"]: value } };
  const same: Query = { $and: [{ [field]: value }, strictQuery(order, values, at + 1)] };
  // Missing values come first.
  if (value === null) return descending ? same : { $or: [{ [field]: { $ne: null } }, same] };
  const later: Query[] = descending
    ? [{ [field]: { $lt: value } }, { [field]: null }]
    : [{ [field]: { $gt: value } }];
  return { $or: [...later, same] };
}
