import type { Operation } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { idleBetween, type Step, stepOf } from "@mpc/services/sagas";

/** When the time is up, by the monotonic clock, and whose limit that is. */
export interface TimeLimit {
  readonly at: number;
  readonly of: "step" | "operation";
}

/**
 * How long the attempts of one operation may continue. A budget is an interval of work; the record has
 * the wall clock's moments, from which it is read once: from then on this process goes by its
 * monotonic clock. So an operation neither fails because the clock is set forward or the machine
 * sleeps, nor goes on for longer because it is set back.
 *
 * A process that continues another one's operation, and each activity on Temporal, starts from the
 * record again. Where their clocks differ, the budget is shorter by as much as the later one is ahead
 * while a try runs, or longer by as much as it is behind; what is between two tries counts as idle.
 */
export class TimeLimits {
  readonly #clock: Clock;
  readonly #steps = new Map<string, number>();
  #operation: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param operation its record with the beginning of the try */
  of(
    operation: Operation,
    { name, retry }: Pick<Step<never>, "name" | "retry">,
    undo: boolean,
  ): TimeLimit {
    const key = `${undo ? "undo" : "run"} ${name}`;
    const tries = stepOf(operation, name).attempts.filter((attempt) => attempt.undo === undo);
    const began = tries[0]?.startTime ?? this.#clock.now();
    const step = this.#steps.get(key) ??
      this.#monotonic(began + retry.budgetMs + idleBetween(tries));
    this.#steps.set(key, step);
    // An undo has its own time limit, even after the operation's deadline.
    if (undo) return { at: step, of: "step" };
    this.#operation ??= this.#monotonic(operation.deadline);
    return step <= this.#operation
      ? { at: step, of: "step" }
      : { at: this.#operation, of: "operation" };
  }

  #monotonic(moment: number): number {
    return this.#clock.monotonic() + moment - this.#clock.now();
  }
}
