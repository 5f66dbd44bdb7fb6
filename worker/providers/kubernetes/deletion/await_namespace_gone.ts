import type { Residue } from "@mpc/domain";
import type { ProviderCall, Ref } from "@mpc/services";
import { sleepUntil } from "../../sleep_until.ts";
import { kindsOfPlurals, NAMESPACE } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { ownerOf } from "../objects/ownership.ts";
import { listKinds } from "../objects/remove.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { TrackedObject } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { namespaceBlockers, remainingResources } from "./blockers.ts";

/** Waits until the namespace of an environment is gone, on the watch that all share. */
export async function awaitNamespaceGone(
  cluster: WatchedCluster,
  { environment, uid }: Ref,
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
): Promise<void> {
  const { client, watch, clock } = cluster;
  const { signal, onBlocked } = call;
  const informer = watch.informer(NAMESPACE);
  const read = await client.get({ ...NAMESPACE, name: environment }, { signal });
  if (!read || ownerOf(read) !== uid) return;
  const tracked = new TrackedObject(informer, uid, read);
  let told: string | undefined;
  for (;;) {
    const changed = watch.changed(uid);
    const namespace = tracked.current();
    if (!namespace) return;
    troubleOf([tracked.trouble]);
    const blockers = namespaceBlockers(namespace, await heldInside(client, namespace, signal));
    const key = JSON.stringify(blockers);
    if (key !== told) {
      told = key;
      onBlocked?.(blockers);
    }
    await sleepUntil(clock, undefined, signal, changed);
  }
}

/** The objects that a namespace says are left, of kinds that every cluster has. */
function heldInside(
  client: KubeClient,
  namespace: LiveObject,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const kinds = kindsOfPlurals(remainingResources(namespace));
  return listKinds(client, kinds, { namespace: namespace.metadata.name }, signal);
}
