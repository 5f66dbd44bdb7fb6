import type { Residue } from "@mpc/domain";
import type { ProviderCall, WorkloadRef } from "@mpc/services";
import { sleepUntil } from "../../sleep_until.ts";
import { keyOf } from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { ownedBy } from "../objects/ownership.ts";
import { listKinds } from "../objects/remove.ts";
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
  const { client, watch, clock } = cluster;
  const { signal, onBlocked } = call;
  // Most kinds have nothing left, and need not be watched.
  const left = await listKinds(client, kinds, { namespace, labelSelector: ownedBy(uid) }, signal);
  const keys = new Set(left.map(keyOf));
  const remaining = kinds.filter((kind) => keys.has(keyOf(kind)));
  const tracked = await trackOwned(cluster, remaining, { namespace, uid }, signal);
  let told: string | undefined;
  for (;;) {
    const changed = watch.changed(uid);
    const there = tracked.filter((object) => object.current() !== undefined);
    if (there.length === 0) return;
    troubleOf(there.map(({ trouble }) => trouble));
    const blockers = there.flatMap((object) => objectBlockers(object.current()));
    const key = JSON.stringify(blockers);
    if (key !== told) {
      told = key;
      onBlocked?.(blockers);
    }
    await sleepUntil(clock, undefined, signal, changed);
  }
}
