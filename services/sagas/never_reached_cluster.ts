import type { ErrorReason } from "@mpc/domain";
import type { StepContext } from "./step.ts";

/** Failures that come before any request to the cluster; the ports document what each means. */
const NOBODY_ASKED: ReadonlySet<ErrorReason> = new Set([
  "UNKNOWN_CLUSTER",
  "CLUSTER_CLAIMED_ELSEWHERE",
  "KUBECONFIG_UNUSABLE",
  "CLUSTER_CREDENTIALS",
  "CLUSTER_NOT_TRUSTED",
]);

/**
 * Whether a step's run certainly changed nothing on the cluster. Its undo then has nothing to do,
 * and could do nothing, because it would be rejected too.
 * @param refusals additional reasons that mean this, for a step that makes a single change
 */
export function neverReachedCluster(
  { onlyFailure }: Pick<StepContext, "onlyFailure">,
  refusals: readonly ErrorReason[] = [],
): boolean {
  if (!onlyFailure) return false;
  return NOBODY_ASKED.has(onlyFailure.reason) || refusals.includes(onlyFailure.reason);
}
