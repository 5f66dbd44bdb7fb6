import type { MpcError } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type {
  Authorizer,
  Clock,
  ClusterReader,
  Ids,
  LimitsOf,
  Planner,
  QueuedStep,
} from "./ports/mod.ts";

/** The dependencies of use cases. */
export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly cluster: ClusterReader;
  readonly planner: Planner;
  readonly authorizer: Authorizer;
  /** Absent if nobody is limited. */
  readonly limitsOf?: LimitsOf;
  /** Why the access file as it is now is not in force; null if it is. Absent where there is none. */
  readonly accessProblem?: () => MpcError | null;
  /** The engine that executes the operations admitted here. */
  readonly engine: string;
  /**
   * What keeps the engine from executing operations or periodic tasks, each with the command that
   * mends it in `metadata.command` where one is known. Absent if nothing can stop the engine.
   *
   * It never fails: that no worker answers is a problem too, `UNAVAILABLE` `NO_WORKER`.
   */
  readonly engineProblems?: (signal: AbortSignal) => Promise<readonly MpcError[]>;
  /**
   * The step of an operation that waits for a slot of the engine; undefined if none does, or if no
   * worker says it. Absent where nothing executes operations.
   */
  readonly queuedStep?: (
    operation: string,
    signal: AbortSignal,
  ) => Promise<QueuedStep | undefined>;
}
