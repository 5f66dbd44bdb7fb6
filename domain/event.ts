import type { Environment } from "./environment.ts";
import type { EventReason } from "./event_reasons.ts";
import type { Operation } from "./operation.ts";
import type { Instant } from "./time.ts";
import type { Workload } from "./workload.ts";

export const EVENT_TYPES = ["CREATED", "UPDATED", "DELETED", "NOTICED"] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The kinds of resources whose snapshots events have. */
export const EVENT_KINDS = ["environment", "workload", "operation"] as const;

/** The resource at the time of the event, with its version, without secrets. */
export type EventSnapshot =
  | { readonly kind: "environment"; readonly value: Environment; readonly version: number }
  | { readonly kind: "workload"; readonly value: Workload; readonly version: number }
  | { readonly kind: "operation"; readonly value: Operation; readonly version: number };

/** One entry of the single ordered event log, which watches, the dashboard and the audit read. */
export interface Event {
  /** Its position in the log: unique and increasing, with gaps. Only the order has a meaning. */
  readonly sequence: number;
  readonly time: Instant;
  readonly type: EventType;
  /** For programs; at run time perhaps another version's, where it is read from a store. */
  readonly reason: EventReason;
  readonly message: string;
  /** Name of the resource that the event is about. */
  readonly target: string;
  readonly operation: string | null;
  readonly actor: string;
  readonly resource: EventSnapshot | null;
}

/** An event before the log assigns its sequence. */
export type NewEvent = Omit<Event, "sequence">;
