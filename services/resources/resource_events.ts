import {
  type Environment,
  type EventReason,
  type EventSnapshot,
  type EventType,
  type NewEvent,
  type Operation,
  redactSpec,
  type Workload,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";

/** The content of an event, besides the resource at its time. */
export interface EventFacts {
  readonly type?: EventType;
  readonly reason: EventReason;
  readonly message: string;
  readonly operation: string | null;
  readonly actor: string;
  readonly time: number;
}

/** An event about an environment. */
export function environmentEvent(stored: Stored<Environment>, facts: EventFacts): NewEvent {
  return event({ kind: "environment", ...stored }, facts);
}

/** An event about a workload, without its secrets. */
export function workloadEvent(stored: Stored<Workload>, facts: EventFacts): NewEvent {
  const value = { ...stored.value, spec: redactSpec(stored.value.spec) };
  return event({ kind: "workload", value, version: stored.version }, facts);
}

/** An event about an operation, without its input and the hash over it, which secrets are part of. */
export function operationEvent(
  stored: Stored<Operation>,
  facts: Omit<EventFacts, "operation" | "actor"> & { readonly actor?: string },
): NewEvent {
  const { name, actor } = stored.value;
  const value = { ...stored.value, input: {}, requestHash: "" };
  return event({ kind: "operation", value, version: stored.version }, {
    operation: name,
    actor,
    ...facts,
  });
}

function event(resource: EventSnapshot, facts: EventFacts): NewEvent {
  const { type = "UPDATED", reason, message, operation, actor, time } = facts;
  return { time, type, reason, message, target: resource.value.name, operation, actor, resource };
}
