import { isMpcError } from "@mpc/domain";
import type { ApplyCall, Provider, ProviderCall } from "@mpc/services";
import type { ClusterClaims } from "./cluster_claims.ts";
import { withMade } from "./provider_errors.ts";

/** A provider of one cluster that changes it only while this store holds the claim to it. */
export function claimedProvider(
  provider: Provider,
  cluster: string,
  claims: ClusterClaims,
): Provider {
  const held = async (call: ProviderCall & Pick<ApplyCall, "dryRun">) => {
    if (call.dryRun) return;
    try {
      await claims.assertHeld(cluster, call);
    } catch (error) {
      throw unchanged(error);
    }
  };
  /** A change: its call is the last argument. */
  const guarded = <Subject, Call extends ProviderCall & Pick<ApplyCall, "dryRun">, Result>(
    change: (subject: Subject, call: Call) => Promise<Result>,
  ) =>
  async (subject: Subject, call: Call): Promise<Result> => {
    await held(call);
    return await change.call(provider, subject, call);
  };
  return {
    name: provider.name,
    claims,
    assertReachable: (call) => provider.assertReachable(call),
    applyNamespace: guarded(provider.applyNamespace),
    applyPolicies: guarded(provider.applyPolicies),
    deletePolicies: guarded(provider.deletePolicies),
    deleteNamespace: guarded(provider.deleteNamespace),
    awaitNamespaceGone: (...of) => provider.awaitNamespaceGone(...of),
    applyWorkload: guarded(provider.applyWorkload),
    // It deletes pods that block the rollout, as long as that takes.
    awaitRollout: async (intent, call) => {
      try {
        return await claims.whileHeld(
          cluster,
          call,
          (signal) => provider.awaitRollout(intent, { ...call, signal }),
        );
      } catch (error) {
        throw isLost(error) ? unchanged(error) : error;
      }
    },
    pruneWorkload: guarded(provider.pruneWorkload),
    drift: (...of) => provider.drift(...of),
    environmentDrift: (...of) => provider.environmentDrift(...of),
    deleteWorkloads: guarded(provider.deleteWorkloads),
    awaitWorkloadGone: (...of) => provider.awaitWorkloadGone(...of),
    inventory: (call) => provider.inventory(call),
    unmanagedObjects: (...of) => provider.unmanagedObjects(...of),
    rolloutStatus: (...of) => provider.rolloutStatus(...of),
    logs: (...of) => provider.logs(...of),
    pods: (...of) => provider.pods(...of),
    events: (...of) => provider.events(...of),
    reviewToken: (...of) => provider.reviewToken(...of),
    close: () => provider.close(),
  };
}

const isLost = (error: unknown): boolean =>
  isMpcError(error) && error.reason === "CLUSTER_CLAIMED_ELSEWHERE";

/** The same error: nothing has been changed, so there is nothing to undo. */
const unchanged = (error: unknown): unknown => isMpcError(error) ? withMade(error, []) : error;
