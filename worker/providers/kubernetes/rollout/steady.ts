import type { Instant } from "@mpc/domain";
import { isJob } from "./job.ts";
import { currentPods, mainContainersOf, type RolloutSnapshot } from "./snapshot.ts";

/** How long a container that has ended before is to run until it is believed to go on. */
const STEADY_MS = 10_000;

/**
 * When a rollout that looks complete may be believed; undefined where it may be now. A program
 * without a readiness check that ends again and again is ready for a moment each time it begins.
 */
export function steadyAt(snapshot: RolloutSnapshot, now: Instant): Instant | undefined {
  const moments = snapshot.controllers.filter((controller) => !isJob(controller))
    .flatMap((controller) => currentPods(controller, snapshot))
    .flatMap(mainContainersOf)
    .filter(({ restartCount }) => restartCount > 0)
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ""))
    // What has not begun yet by our clock was told by one that is ahead.
    .filter((started) => started <= now && now < started + STEADY_MS)
    .map((started) => started + STEADY_MS);
  return moments.length > 0 ? Math.max(...moments) : undefined;
}
