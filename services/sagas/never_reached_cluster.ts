import type { ErrorReason } from "@mpc/domain";
import type { StepContext } from "./step.ts";

/** Failures before a cluster was asked for anything; the ports have what each means. */
const NOBODY_ASKED: ReadonlySet<ErrorReason> = new Set([
  "UNKNOWN_CLUSTER",
  "KUBECONFIG_UNUSABLE",
  "CLUSTER_CREDENTIALS",
  "CLUSTER_NOT_TRUSTED",
]);

/**
 * Whether a step's run certainly did nothing on the cluster, so that its undo has nothing to do,
 * which it could not do either: whoever is not let in cannot tidy up.
 * @param refusals further reasons that say so, for a step of one change
 */
export function neverReachedCluster(
  { onlyFailure }: Pick<StepContext, "onlyFailure">,
  refusals: readonly ErrorReason[] = [],
): boolean {
  if (!onlyFailure) return false;
  return NOBODY_ASKED.has(onlyFailure.reason) || refusals.includes(onlyFailure.reason);
}
