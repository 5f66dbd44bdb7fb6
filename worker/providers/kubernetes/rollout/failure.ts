import type { Instant } from "@mpc/domain";
import { controllerFailure } from "./controller_failure.ts";
import { podFailure } from "./pod_failure.ts";
import { currentPods, type RolloutSnapshot } from "./snapshot.ts";
import { gravest, type Verdict } from "./verdict.ts";

/** Whether a rollout can no longer succeed; undefined where it may, and nothing is due. */
export function failureOf(snapshot: RolloutSnapshot, now: Instant): Verdict | undefined {
  return gravest(snapshot.controllers.flatMap((controller) => [
    ...currentPods(controller, snapshot).flatMap((pod) => podFailure(pod, now) ?? []),
    ...[controllerFailure(controller, snapshot, now) ?? []].flat(),
  ]));
}
