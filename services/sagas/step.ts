import type {
  ErrorRecord,
  JsonObject,
  JsonValue,
  PlannedChange,
  Residue,
  RetryPolicy,
} from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Provider } from "../ports/mod.ts";

/** What a step may use. Everything it does to the world goes through here. */
export interface StepContext {
  /** Name of the operation. */
  readonly operation: string;
  /** Name of the resource. */
  readonly target: string;
  readonly actor: string;
  /** Counts this step's tries from 1. */
  readonly attempt: number;
  /** Aborted at the attempt's timeout and, in `run`, when the operation is cancelled. */
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly provider: Provider;
  /** Now, by the engine's clock. */
  now(): number;
  /** Outputs of the steps that are done, by step name. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
  /** What the last heartbeat of an earlier try carried; null in a first try. */
  readonly lastHeartbeat: JsonValue;
  /** For the undo of a step that was tried once: why that failed; null in any other case. */
  readonly onlyFailure: ErrorRecord | null;
  /** Says that the step is alive, what it is doing, and where a later try may go on. */
  heartbeat(progress: string, detail?: JsonValue): void;
}

/**
 * One step of an operation.
 * @typeParam Input the operation's intent, JSON
 */
export interface Step<Input> {
  /** Stable: journal key and Temporal activity type. */
  readonly name: string;
  /** Does it; idempotent: twice is as good as once. */
  run(context: StepContext, input: Input): Promise<JsonObject | void>;
  /** Undoes it; tolerates "never happened". */
  undo?(context: StepContext, input: Input): Promise<void>;
  /** What `run` would change, by the same code path. */
  plan?(context: PlanContext, input: Input): Promise<readonly PlannedChange[]>;
  /**
   * What is left on the cluster when the undo fails, and the command that puts it right; every step
   * with an `undo` tells.
   * @param operation the operation's id
   */
  residue?(input: Input, operation: string): readonly Residue[];
  /** What a cancellation does with it once it has begun; a failure always undoes. */
  readonly onCancel: "undo" | "keep";
  readonly retry: RetryPolicy;
  readonly attemptTimeoutMs: number;
  /** For steps that wait: how soon an engine of many workers notices that one died in a try. */
  readonly heartbeatMs?: number;
}

/** What planning a step may use: reads, and the cluster's dry run. */
export type PlanContext = Pick<StepContext, "signal" | "store" | "provider" | "target">;
