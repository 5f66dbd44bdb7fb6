import type { JsonObject, JsonValue, PlannedChange, RetryPolicy } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Provider } from "../ports.ts";

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
  /** Waits by the engine's clock. */
  sleep(ms: number): Promise<void>;
  /** Outputs of the steps that are done, by step name. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
  /** What the last heartbeat of an earlier try carried; null in a first try. */
  readonly lastHeartbeat: JsonValue;
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
  plan?(context: StepContext, input: Input): Promise<readonly PlannedChange[]>;
  /** What a cancellation does with it once it is done; a failure always undoes. */
  readonly onCancel: "undo" | "keep";
  readonly retry: RetryPolicy;
  readonly attemptTimeoutMs: number;
  /** A try that says nothing for this long has hung. */
  readonly heartbeatMs?: number;
}
