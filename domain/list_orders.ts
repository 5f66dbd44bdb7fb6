import type { OrderKey } from "./filter.ts";

/**
 * The orders in which documents can be listed, by collection: the paths of their keys. Each key may
 * ascend or descend, and the name breaks ties in the direction of the last key. The API rejects other
 * orders, so that MongoDB has an index for each (`docs/decisions/0035-declared-orders.md`).
 */
export const LIST_ORDERS = {
  environments: [
    "name",
    "uid",
    "createTime",
    "updateTime",
    "currentOperation",
    "lastOperation",
    "state",
    "expireTime",
    "deletionProtection",
    "cluster",
    "state, createTime",
  ],
  workloads: [
    "name",
    "uid",
    "createTime",
    "updateTime",
    "currentOperation",
    "lastOperation",
    "state",
    "spec.image",
    "spec.replicas",
    "activeRevision",
    "state, createTime",
  ],
  revisions: ["name", "number"],
  operations: [
    "name",
    "kind",
    "target",
    "state",
    "actor",
    "engine",
    "createTime",
    "updateTime",
    "endTime",
    "retryOf",
    "state, createTime",
    "target, createTime",
    "actor, createTime",
    "kind, createTime",
  ],
  orphans: ["name", "createTime"],
  tokens: ["name", "creator", "createTime", "expireTime", "lastUseTime"],
  eventSinks: ["name", "createTime"],
  deadLetters: ["name", "createTime"],
  audit: ["name", "time", "sequence"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** An order as {@linkcode LIST_ORDERS} has it, without its directions. */
export const listOrderOf = (orderBy: readonly OrderKey[]): string =>
  orderBy.map(({ path }) => path.join(".")).join(", ");
