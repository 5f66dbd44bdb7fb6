import type { Clock, RolloutStatus } from "@mpc/services";
import { deadlineFailure } from "./detect_failure.ts";
import { isJob } from "./job_status.ts";
import { isComplete } from "./progress.ts";
import type { RolloutVerdict } from "./rollout_failure.ts";
import type { RolloutSnapshot } from "./rollout_snapshot.ts";

/** How much longer than the cluster we wait, so that the cluster's own explanation comes first. */
const SLACK_MS = 15_000;

/**
 * Fails a rollout that makes no progress although the cluster reports no failure: only Deployments
 * have a progress deadline of their own, and only while the controller manager runs.
 */
export class ProgressDeadline {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** By the monotonic clock. */
  #lastProgress: number;
  #seen = "";

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#lastProgress = clock.monotonic();
  }

  /** A failure after the deadline, otherwise the time of the deadline. */
  check(snapshot: RolloutSnapshot, { updated, ready }: RolloutStatus): RolloutVerdict {
    const now = this.#clock.monotonic();
    const done = snapshot.controllers.filter(isComplete).length;
    const seen = `${updated}/${ready}/${done}`;
    if (seen !== this.#seen) this.#lastProgress = now;
    this.#seen = seen;
    const leftMs = this.#lastProgress + this.#deadlineMs + SLACK_MS - now;
    const controller = snapshot.controllers.find((it) => !isComplete(it));
    if (leftMs > 0 || !controller) return { recheckAt: this.#clock.now() + leftMs };
    return deadlineFailure(
      controller,
      snapshot,
      isJob(controller)
        ? `job '${controller.metadata.name}' is not complete`
        : "it makes no progress, is its controller running",
    );
  }
}
