import { isMpcError, type Residue } from "@mpc/domain";
import type { ProviderCall, Ref } from "@mpc/services";
import { reportChanges } from "../../report_changes.ts";
import { sleepUntilChanged } from "../../sleep_until_changed.ts";
import { listKinds } from "../client/bulk_requests.ts";
import { kindsOfPlurals, NAMESPACE } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { ownerOf } from "../objects/ownership.ts";
import { transientFailure, type WatchedCluster } from "../watch/cluster_watch.ts";
import { TrackedObject } from "../watch/tracked_object.ts";
import { namespaceBlockers, outageBlockers, remainingResources } from "./deletion_blockers.ts";

/** Waits on the cluster's shared watch until the namespace of an environment is gone. */
export async function awaitNamespaceGone(
  cluster: WatchedCluster,
  { environment, uid }: Ref,
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
): Promise<void> {
  const { client, watch, clock } = cluster;
  const { signal, onBlocked } = call;
  const informer = watch.informer(NAMESPACE);
  // A namespace that the watch knows has not been seen deleted, so its deletion is still to come.
  const [known] = informer.failure === undefined ? informer.of(uid) : [];
  const read = known ?? await client.get({ ...NAMESPACE, name: environment }, { signal });
  if (!read || ownerOf(read) !== uid) return;
  const tracked = new TrackedObject(informer, uid, read);
  const report = reportChanges(onBlocked);
  for (;;) {
    const changed = watch.changed(uid);
    const namespace = tracked.current();
    if (!namespace) return;
    const outage = transientFailure([tracked.failure]);
    const blockers = namespaceBlockers(namespace, await objectsInside(client, namespace, signal));
    report([...blockers, ...outageBlockers(client.cluster, outage)]);
    await sleepUntilChanged(clock, undefined, signal, changed);
  }
}

/**
 * The objects that remain in a namespace, of the kinds that every cluster has. The worker's own
 * permissions in the namespace may be deleted already; the namespace itself tells what remains.
 */
async function objectsInside(
  client: KubeClient,
  namespace: LiveObject,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const kinds = kindsOfPlurals(remainingResources(namespace));
  try {
    return await listKinds(client, kinds, { namespace: namespace.metadata.name }, signal);
  } catch (error) {
    if (isMpcError(error, "PERMISSION_DENIED")) return [];
    throw error;
  }
}
