import type { MpcError } from "@mpc/domain";
import type { Engine } from "@mpc/services";

/** Work that is repeated at an interval. */
export interface PeriodicTask {
  /** In snake_case. */
  readonly name: string;
  readonly everyMs: number;
  /** Runs once. A failure is retried at the next interval. */
  run(): Promise<unknown>;
}

/** An engine that runs in this process. */
export interface HostedEngine extends Engine {
  /** Why it cannot work; undefined while it works. Absent if nothing can stop it. */
  readonly problem?: MpcError | undefined;
  /**
   * Operations that have begun and that no worker can continue, each with the reason; undefined if
   * that is not known. Each search makes a new map.
   */
  readonly stranded?: ReadonlyMap<string, MpcError> | undefined;
  /** Its own metrics in Prometheus' text format; absent if it has none. */
  readonly metrics?: () => Promise<string>;
  /** Why periodic tasks do not run; undefined while they do. Absent if nothing can stop them. */
  readonly periodicProblem?: MpcError | undefined;
  /**
   * Runs each task on one worker at a time; every worker registers the same tasks. With an engine
   * that lacks this method, each process uses its own timers.
   */
  repeat?(tasks: readonly PeriodicTask[]): Promise<void>;
}

/** What keeps an engine from executing operations or periodic tasks. */
export const problemsOf = ({ problem, periodicProblem }: HostedEngine): readonly MpcError[] =>
  [problem, periodicProblem].filter((error) => error !== undefined);
