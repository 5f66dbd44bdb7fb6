import type { JsonObject, JsonValue, PlannedChange, Residue, RetryPolicy } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Provider } from "../ports/mod.ts";

/** What a step may use. All its effects go through here. */
export interface StepContext {
  /** Name of the operation. */
  readonly operation: string;
  /** Name of the resource. */
  readonly target: string;
  readonly actor: string;
  /** The number of this attempt of the step, from 1. */
  readonly attempt: number;
  /** Aborted at the attempt's timeout and, in `run`, when the operation is cancelled. */
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly provider: Provider;
  /** The current time of the engine's clock. */
  now(): number;
  /** Outputs of the finished steps, by step name. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
  /** The detail of the last heartbeat of an earlier attempt; null in the first attempt. */
  readonly lastHeartbeat: JsonValue;
  /**
   * For the undo of a step that failed: what its attempts may have changed on the cluster, as
   * `Kind/namespace/name`. Null where that is not known, and for a step that did not fail.
   */
  readonly made: readonly string[] | null;
  /** Reports that the step is alive, its progress, and where a later attempt may continue. */
  heartbeat(progress: string, detail?: JsonValue): void;
}

/**
 * One step of an operation.
 * @typeParam Input the operation's intent, JSON
 */
export interface Step<Input> {
  /** Stable: it is the journal key and the Temporal activity type. */
  readonly name: string;
  /** Does the step. Idempotent. */
  run(context: StepContext, input: Input): Promise<JsonObject | void>;
  /** Undoes the step. Succeeds if `run` never happened. */
  undo?(context: StepContext, input: Input): Promise<void>;
  /** What `run` would change, computed by the same code. */
  plan?(context: PlanContext, input: Input): Promise<readonly PlannedChange[]>;
  /**
   * What is left on the cluster when the undo fails, and the command that repairs it. Every step
   * with an `undo` has it.
   * @param operation the operation's id
   */
  residue?(input: Input, operation: string): readonly Residue[];
  /** What a cancellation does with the step once it has begun. A failure always undoes it. */
  readonly onCancel: "undo" | "keep";
  readonly retry: RetryPolicy;
  readonly attemptTimeoutMs: number;
  /** For steps that wait: how soon the loss of their worker is noticed. */
  readonly heartbeatMs?: number;
}

/** What planning a step may use: reads, and the cluster's dry run. */
export type PlanContext = Pick<StepContext, "signal" | "store" | "provider" | "target">;
