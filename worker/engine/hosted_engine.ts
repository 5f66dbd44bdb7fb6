import type { MpcError } from "@mpc/domain";
import type { Engine } from "@mpc/services";

/** Work that is done again and again. */
export interface PeriodicTask {
  /** In snake_case. */
  readonly name: string;
  readonly everyMs: number;
  /** Once; what fails is tried again at the next time. */
  run(): Promise<unknown>;
}

/** An engine at work in this process. */
export interface HostedEngine extends Engine {
  /** What keeps it from its work; undefined while it works. Absent where nothing can. */
  readonly problem?: MpcError | undefined;
  /**
   * Operations that have begun and that nobody goes on with at present, with the reason of each;
   * undefined where nobody can tell.
   */
  readonly stranded?: ReadonlyMap<string, MpcError> | undefined;
  /**
   * Has tasks done by one worker of all at a time; every worker names the same ones. An engine
   * without it leaves each process to its own timers.
   */
  repeat?(tasks: readonly PeriodicTask[]): Promise<void>;
}
