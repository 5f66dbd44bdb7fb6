import type { Instant } from "@mpc/domain";
import type { Clock, RolloutStatus } from "@mpc/services";
import { deadlineFailure } from "./controller_failure.ts";
import { isJob } from "./job.ts";
import { isComplete } from "./progress.ts";
import type { RolloutSnapshot } from "./snapshot.ts";
import type { Verdict } from "./verdict.ts";

/** So much longer than the cluster itself we wait, so that its own word comes first. */
const SLACK_MS = 15_000;

/**
 * Notices that nothing moves though the cluster says nothing of it: only Deployments have a
 * progress deadline, and only while their controller runs.
 */
export class Standstill {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  #since: Instant;
  #seen = "";

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#since = clock.now();
  }

  /** A failure when it has lasted too long, else when that would be. */
  verdict(snapshot: RolloutSnapshot, { updated, ready }: RolloutStatus): Verdict {
    const now = this.#clock.now();
    const done = snapshot.controllers.filter(isComplete).length;
    const seen = `${updated}/${ready}/${done}`;
    if (seen !== this.#seen) this.#since = now;
    this.#seen = seen;
    const end = this.#since + this.#deadlineMs + SLACK_MS;
    const controller = snapshot.controllers.find((it) => !isComplete(it));
    return now < end || !controller ? { lookAgain: end } : deadlineFailure(
      controller,
      snapshot,
      isJob(controller)
        ? `job '${controller.metadata.name}' is not complete`
        : "nothing has changed, is its controller running",
    );
  }
}
