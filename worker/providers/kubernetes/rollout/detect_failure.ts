import type { Instant } from "@mpc/domain";
import { controllerFailure } from "./controller_failure.ts";
import { isJob, jobFailures } from "./job.ts";
import { podFailure } from "./pod_failure.ts";
import { currentPods, hasObserved, type RolloutSnapshot } from "./snapshot.ts";
import { gravest, type Verdict } from "./verdict.ts";

/** Whether a rollout can no longer succeed; undefined where it may, and nothing is due. */
export function failureOf(snapshot: RolloutSnapshot, now: Instant): Verdict | undefined {
  // Until a controller has seen what is asked for, all that it has is of the generation before.
  const jobs = snapshot.controllers.filter(isJob);
  return gravest([
    ...jobs.flatMap((job) => jobFailures(job, snapshot, now)),
    ...snapshot.controllers.filter((it) => !isJob(it) && hasObserved(it)).flatMap((controller) => [
      ...currentPods(controller, snapshot).flatMap((pod) => podFailure(pod, now) ?? []),
      ...[controllerFailure(controller, snapshot, now) ?? []].flat(),
    ]),
  ]);
}
