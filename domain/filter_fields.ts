import { AUDIT_PHASES } from "./audit.ts";
import { ENVIRONMENT_STATES } from "./environment.ts";
import { EVENT_KINDS, EVENT_TYPES } from "./event.ts";
import { EVENT_SINK_STATES } from "./event_sink.ts";
import type { Filter } from "./filter.ts";
import { isTerminal, OPERATION_KINDS, OPERATION_STATES } from "./operation.ts";
import type { Instant } from "./time.ts";
import { WORKLOAD_STATES } from "./workload.ts";

/** A field that can be used in filters. */
export type FilterField = StoredField | DerivedField;

/** A field that can also be used in sort orders, and its path in the stored document. */
export interface StoredField {
  readonly path: readonly string[];
  readonly type: "string" | "number" | "boolean" | "timestamp" | "enum" | "map";
  /** The values of an enum. */
  readonly values?: readonly string[];
  /** Prefix of the values in the API's JSON, optional in a filter: `ENVIRONMENT_STATE_`. */
  readonly prefix?: string;
}

/** A boolean that is not stored: a filter determines when it is true. */
export interface DerivedField {
  readonly type: "derived";
  readonly holds: (now: Instant) => Filter;
}

export type FilterFields = Readonly<Record<string, FilterField>>;

/** An operation on which nothing works has not been updated for this long. */
const STALLED_AFTER_MS = 5 * 60_000;

/** A failed resource stays failed until somebody acts. */
const FAILED: DerivedField = {
  type: "derived",
  holds: () => ({ op: "=", path: ["state"], value: "*_FAILED" }),
};

/**
 * Nothing works on it: it needs attention, or it has been silent for long and does not begin, has a
 * reason for waiting, or is past its deadline. A step that runs long or is retried is silent too, but
 * only until the deadline.
 */
const STALLED_OPERATION: DerivedField = {
  type: "derived",
  holds: (now) => ({
    op: "or",
    terms: [
      { op: "=", path: ["state"], value: "NEEDS_ATTENTION" },
      {
        op: "and",
        terms: [
          { op: "=", path: ["endTime"], value: null },
          { op: "<", path: ["updateTime"], value: now - STALLED_AFTER_MS },
          {
            op: "or",
            terms: [
              { op: "=", path: ["state"], value: "PENDING" },
              { op: "!=", path: ["waitingReason"], value: "" },
              { op: "<", path: ["deadline"], value: now - STALLED_AFTER_MS },
            ],
          },
        ],
      },
    ],
  }),
};

const DONE: DerivedField = {
  type: "derived",
  holds: () => ({
    op: "or",
    terms: OPERATION_STATES.filter(isTerminal)
      .map((value) => ({ op: "=", path: ["state"], value })),
  }),
};

function stateOf(prefix: string, values: readonly string[]): StoredField {
  return { path: ["state"], type: "enum", values, prefix };
}

const COMMON: FilterFields = {
  name: { path: ["name"], type: "string" },
  uid: { path: ["uid"], type: "string" },
  labels: { path: ["labels"], type: "map" },
  create_time: { path: ["createTime"], type: "timestamp" },
  update_time: { path: ["updateTime"], type: "timestamp" },
  current_operation: { path: ["currentOperation"], type: "string" },
  last_operation: { path: ["lastOperation"], type: "string" },
};

export const ENVIRONMENT_FIELDS: FilterFields = {
  ...COMMON,
  state: stateOf("ENVIRONMENT_STATE_", ENVIRONMENT_STATES),
  stalled: FAILED,
  expire_time: { path: ["expireTime"], type: "timestamp" },
  deletion_protection: { path: ["deletionProtection"], type: "boolean" },
  cluster: { path: ["cluster"], type: "string" },
};

export const WORKLOAD_FIELDS: FilterFields = {
  ...COMMON,
  state: stateOf("WORKLOAD_STATE_", WORKLOAD_STATES),
  stalled: FAILED,
  image: { path: ["spec", "image"], type: "string" },
  replicas: { path: ["spec", "replicas"], type: "number" },
  active_revision: { path: ["activeRevision"], type: "number" },
};

export const OPERATION_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  kind: { path: ["kind"], type: "enum", values: OPERATION_KINDS },
  target: { path: ["target"], type: "string" },
  state: stateOf("OPERATION_STATE_", OPERATION_STATES),
  done: DONE,
  stalled: STALLED_OPERATION,
  actor: { path: ["actor"], type: "string" },
  engine: { path: ["engine"], type: "string" },
  create_time: { path: ["createTime"], type: "timestamp" },
  update_time: { path: ["updateTime"], type: "timestamp" },
  end_time: { path: ["endTime"], type: "timestamp" },
  retry_of: { path: ["retryOf"], type: "string" },
};

export const AUDIT_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  sequence: { path: ["sequence"], type: "number" },
  time: { path: ["time"], type: "timestamp" },
  phase: { path: ["phase"], type: "enum", values: AUDIT_PHASES, prefix: "AUDIT_PHASE_" },
  actor: { path: ["actor"], type: "string" },
  source: { path: ["source"], type: "string" },
  method: { path: ["method"], type: "string" },
  target: { path: ["target"], type: "string" },
  request_id: { path: ["requestId"], type: "string" },
  operation: { path: ["operation"], type: "string" },
  permission: { path: ["permission"], type: "string" },
  result: { path: ["result"], type: "string" },
  reason: { path: ["reason"], type: "string" },
};

/** The fields of events, for filters of sinks; `state` and `labels` are those of the event's resource. */
export const EVENT_FIELDS: FilterFields = {
  sequence: { path: ["sequence"], type: "number" },
  time: { path: ["time"], type: "timestamp" },
  type: { path: ["type"], type: "enum", values: EVENT_TYPES, prefix: "EVENT_TYPE_" },
  reason: { path: ["reason"], type: "string" },
  target: { path: ["target"], type: "string" },
  operation: { path: ["operation"], type: "string" },
  actor: { path: ["actor"], type: "string" },
  kind: { path: ["resource", "kind"], type: "enum", values: EVENT_KINDS },
  state: { path: ["resource", "value", "state"], type: "string" },
  operation_kind: { path: ["resource", "value", "kind"], type: "string" },
  labels: { path: ["resource", "value", "labels"], type: "map" },
};

const SINK_STATE = {
  path: ["state"],
  type: "enum",
  values: EVENT_SINK_STATES,
  prefix: "EVENT_SINK_STATE_",
} as const satisfies StoredField;

export const EVENT_SINK_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  state: SINK_STATE,
  create_time: { path: ["createTime"], type: "timestamp" },
};

export const DEAD_LETTER_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  target: { path: ["event", "target"], type: "string" },
  reason: { path: ["event", "reason"], type: "string" },
  status: { path: ["error", "status"], type: "number" },
  create_time: { path: ["createTime"], type: "timestamp" },
};

export const TOKEN_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  creator: { path: ["creator"], type: "string" },
  create_time: { path: ["createTime"], type: "timestamp" },
  expire_time: { path: ["expireTime"], type: "timestamp" },
  last_use_time: { path: ["lastUseTime"], type: "timestamp" },
};
