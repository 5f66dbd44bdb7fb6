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
  "platform.sweep",
  "platform.claim",
] as const;

/** The target of operations that are about no single resource. */
export const PLATFORM = "platform";

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

/** One attempt of a step or of its undo. */
export interface StepAttempt {
  readonly number: number;
  readonly undo: boolean;
  readonly startTime: Instant;
  readonly endTime: Instant | null;
  readonly error: ErrorRecord | null;
  readonly nextRetryTime: Instant | null;
  /**
   * Since when its cluster has not answered. The attempt then continues with the next look at the
   * cluster. Absent where the cluster answers.
   */
  readonly outageSince?: Instant;
  /**
   * What it may have changed on the cluster before it failed, as `Kind/namespace/name`. Absent where
   * that is not known, as in records of earlier versions.
   */
  readonly made?: readonly string[];
}

/** The journal's record of one step. */
export interface StepRecord {
  /** Stable: it is the journal key and the Temporal activity type. */
  readonly name: string;
  readonly state: StepState;
  /** Oldest first. If there are many, the first and the last 20. */
  readonly attempts: readonly StepAttempt[];
  readonly startTime: Instant | null;
  readonly endTime: Instant | null;
  /** What the step is doing, for people. */
  readonly progress: string;
  readonly output: JsonObject | null;
  /** The detail of the last heartbeat, from which a new attempt continues. */
  readonly heartbeat: JsonValue;
}

export interface Cancellation {
  readonly actor: string;
  readonly reason: string;
  readonly time: Instant;
}

/** An object that is left on the cluster. */
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
  /** Name of the resource it changes; {@linkcode PLATFORM} for none in particular. */
  readonly target: string;
  readonly targetUid: string;
  readonly state: OperationState;
  /**
   * The whole intent, enough to admit and to run it again. May contain secrets, so it is never
   * shown.
   */
  readonly input: JsonObject;
  /** The caller's request id; null if none was given. */
  readonly requestId: string | null;
  /** Hash of the request's body, to tell a repeated request from a different one. */
  readonly requestHash: string;
  readonly steps: readonly StepRecord[];
  readonly error: ErrorRecord | null;
  readonly actor: string;
  readonly engine: string;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly startTime: Instant | null;
  readonly endTime: Instant | null;
  /** When the operation gives up. Extended by the time in which no worker could work on it. */
  readonly deadline: Instant;
  readonly cancellation: Cancellation | null;
  readonly residue: readonly Residue[];
  readonly retryOf: string | null;
  /** The trace in which it was requested (W3C Trace Context); null for none. */
  readonly traceparent: string | null;
  /**
   * Whether its admission looked interrupted, so that its record is about to be dropped. A process
   * that finds the operation holding its lock resets this. Absent in records of earlier versions.
   */
  readonly admissionRevoked?: boolean;
  /** Why no worker starts or continues it; empty while one does. */
  readonly waitingReason: string;
}
