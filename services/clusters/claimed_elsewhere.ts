import { MpcError } from "@mpc/domain";

/**
 * Why a cluster is not changed: another store with the same installation id claims it.
 * @param action for instance `change cluster 'default'`
 * @param renewTime when the other store renewed its claim
 */
export const claimedElsewhere = (
  action: string,
  cluster: string,
  renewTime: string,
): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "CLUSTER_CLAIMED_ELSEWHERE",
    message: `Cannot ${action}: ${claimLost(cluster, renewTime)}`,
    metadata: { cluster, renewTime },
  });

/** What it means that a claim is lost, for people. */
export const claimLost = (cluster: string, renewTime: string): string =>
  `another copy of this platform's database claims cluster '${cluster}' (renewed at ${renewTime}): ` +
  "this one was restored from an older backup, or a copy runs beside it; stop the other, then claim " +
  `the cluster with 'mpctl doctor --claim ${cluster}'`;
