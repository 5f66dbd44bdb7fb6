import type { Residue } from "@mpc/domain";
import type { ProviderCall, WorkloadRef } from "@mpc/services";
import { sleepUntil } from "../../sleep_until.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { trackOwned } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { objectBlockers } from "./blockers.ts";

/** Waits until nothing of a workload is left, on the watches that all share. */
export async function awaitWorkloadGone(
  cluster: WatchedCluster,
  { environment: namespace, uid }: WorkloadRef,
  kinds: readonly ObjectKind[],
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
): Promise<void> {
  const { watch, clock } = cluster;
  const { signal, onBlocked } = call;
  const tracked = await trackOwned(cluster, kinds, { namespace, uid }, signal);
  let told: string | undefined;
  for (;;) {
    const changed = watch.changed(uid);
    const left = tracked.filter((object) => object.current() !== undefined);
    if (left.length === 0) return;
    troubleOf(left.map(({ trouble }) => trouble));
    const blockers = left.flatMap((object) => objectBlockers(object.current()));
    const key = JSON.stringify(blockers);
    if (key !== told) {
      told = key;
      onBlocked?.(blockers);
    }
    await sleepUntil(clock, undefined, signal, changed);
  }
}
