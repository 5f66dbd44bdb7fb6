import type { ErrorRecord } from "./error_record.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Instant } from "./time.ts";

export const OPERATION_KINDS = [
  "environment.create",
  "environment.update",
  "environment.delete",
  "environment.abandon",
  "workload.deploy",
  "workload.delete",
  "workload.abandon",
] as const;

export type OperationKind = (typeof OPERATION_KINDS)[number];

export const OPERATION_STATES = [
  "PENDING",
  "RUNNING",
  "CANCELLING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "NEEDS_ATTENTION",
] as const;

export type OperationState = (typeof OPERATION_STATES)[number];

const TERMINAL: ReadonlySet<OperationState> = new Set([
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "NEEDS_ATTENTION",
]);

/** Whether an operation in this state has ended. */
export const isTerminal = (state: OperationState): boolean => TERMINAL.has(state);

export type StepState =
  | "PENDING"
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "UNDOING"
  | "UNDONE"
  | "UNDO_FAILED";

/** One try of a step or of its undo. */
export interface StepAttempt {
  readonly number: number;
  readonly undo: boolean;
  readonly startTime: Instant;
  readonly endTime: Instant | null;
  readonly error: ErrorRecord | null;
  readonly nextRetryTime: Instant | null;
}

/** One step as the journal has it. */
export interface StepRecord {
  /** Stable: journal key and Temporal activity type. */
  readonly name: string;
  readonly state: StepState;
  /** The oldest first; of many, the first and the last 20. */
  readonly attempts: readonly StepAttempt[];
  readonly startTime: Instant | null;
  readonly endTime: Instant | null;
  /** What it is doing, for people. */
  readonly progress: string;
  readonly output: JsonObject | null;
  /** What a heartbeat last carried; a try that begins anew goes on from it. */
  readonly heartbeat: JsonValue;
}

export interface Cancellation {
  readonly actor: string;
  readonly reason: string;
  readonly time: Instant;
}

/** Something that is left on the cluster. */
export interface Residue {
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly object: string;
  readonly reason: string;
  /** The command that removes it. */
  readonly remedy: string;
}

/** One durable change: its intent, its steps, and how it ended. */
export interface Operation {
  readonly name: string;
  readonly kind: OperationKind;
  /** Name of the resource it changes. */
  readonly target: string;
  readonly targetUid: string;
  readonly state: OperationState;
  /** The whole intent, enough to admit and to run it again. May hold secrets: never shown. */
  readonly input: JsonObject;
  /** The caller's request id; null where none was given. */
  readonly requestId: string | null;
  /** Fingerprint of the request's body, to tell a repeated request from another one. */
  readonly requestHash: string;
  readonly steps: readonly StepRecord[];
  readonly error: ErrorRecord | null;
  readonly actor: string;
  readonly engine: string;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly startTime: Instant | null;
  readonly endTime: Instant | null;
  /** When it gives up; moved by the time in which nobody could work on it. */
  readonly deadline: Instant;
  readonly cancellation: Cancellation | null;
  readonly residue: readonly Residue[];
  readonly retryOf: string | null;
  /** The trace that it was asked for in (W3C Trace Context); null for none. */
  readonly traceparent: string | null;
  /**
   * Whether its admission looked cut off, and its record is about to be dropped. Whoever finds that
   * it has its lock takes this back. Absent in records of earlier versions.
   */
  readonly admissionRevoked?: boolean;
  /** Why nobody begins it, or goes on with it; empty while somebody does. */
  readonly waitingReason: string;
}
