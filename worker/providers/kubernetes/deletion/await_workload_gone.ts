import type { PlannedChange } from "@mpc/domain";
import type { WorkloadRef, WorkloadWait } from "@mpc/services";
import { sleepUntil } from "../../sleep_until.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { ownedBy } from "../objects/ownership.ts";
import { listKinds } from "../objects/remove.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { TrackedObject } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { objectBlockers } from "./blockers.ts";

/** Waits until nothing of a workload is left, on the watches that all share. */
export async function awaitWorkloadGone(
  cluster: WatchedCluster,
  { environment: namespace, uid }: WorkloadRef,
  kinds: readonly ObjectKind[],
  call: WorkloadWait,
): Promise<void> {
  const { client, watch, clock } = cluster;
  const { signal, onBlocked, deleted } = call;
  const looked = kinds.filter(({ kind }) => !deleted || deleted.some(isOf(kind)));
  const left = await listKinds(client, looked, { namespace, labelSelector: ownedBy(uid) }, signal);
  // Most kinds have nothing left, and need not be watched.
  const tracked = left.map((object) => new TrackedObject(watch.informer(object), uid, object));
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

const isOf = (kind: string) => ({ object }: PlannedChange): boolean =>
  object.startsWith(`${kind}/`);
