import type { LogLine, LogQuery } from "@mpc/services";
import { throwIfAborted } from "../../provider_errors.ts";
import { DAEMON_SET, DEPLOYMENT, POD, STATEFUL_SET } from "../client/kinds.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { mainContainersOf } from "../client/typed_objects.ts";
import { ownerOf } from "../objects/ownership.ts";
import { transientFailure, type WatchedCluster } from "../watch/cluster_watch.ts";
import { trackOwned } from "../watch/tracked_object.ts";
import { containerLogs } from "./container_logs.ts";
import { interleaveLogs, type MoreSources } from "./interleave_logs.ts";

/**
 * The new log lines of a workload's pods, including pods that replace them later, which the shared
 * watch reports. Ends when the pods' controllers are deleted. Without a controller, or for one
 * replica, it ends with the pods.
 * @param pods the workload's current pods, at least one
 */
export async function* followLogs(
  cluster: WatchedCluster,
  pods: readonly LiveObject[],
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const { client, watch } = cluster;
  const stop = new AbortController();
  const signal = AbortSignal.any([query.signal, stop.signal]);
  const owner = pods.flatMap((pod) => ownerOf(pod) ?? [])[0] ?? "";
  const kinds = query.replica === null ? controllerKindsOf(pods) : [];
  /** Restart counts of the containers whose logs are being read. */
  const read = new Map<string, number>();
  const newLogs = (pod: LiveObject, which: LogQuery) =>
    mainContainersOf(pod).flatMap(({ name: container, restartCount, state, lastState }) => {
      const key = `${pod.metadata.uid}/${container}`;
      const hasStarted = state?.running ?? state?.terminated ?? lastState?.terminated;
      if (!hasStarted || restartCount <= (read.get(key) ?? -1)) return [];
      read.set(key, restartCount);
      return [containerLogs(client, pod, container, { ...which, signal })];
    });
  try {
    const informer = watch.informer(POD);
    const selection = { namespace: pods[0]?.metadata.namespace ?? "", uid: owner };
    const controllers = await trackOwned(cluster, kinds, selection, signal);
    const first = pods.flatMap((pod) => newLogs(pod, query));
    yield* interleaveLogs((): MoreSources => {
      throwIfAborted(signal);
      if (kinds.length === 0) return { sources: first, again: undefined };
      const changed = watch.changed(owner);
      transientFailure([informer.failure, ...controllers.map(({ failure }) => failure)]);
      // Every line of a container that starts later is new.
      const later = informer.of(owner).flatMap((pod) => newLogs(pod, { ...query, tail: null }));
      const hasController = controllers.some((controller) => controller.current() !== undefined);
      return {
        sources: [...first.splice(0), ...later],
        again: hasController ? AbortSignal.any([changed, signal]) : undefined,
      };
    });
  } finally {
    stop.abort();
  }
}

/** The kind of controller behind the owner of a pod. */
const CONTROLLER_KINDS: Readonly<Record<string, ObjectKind>> = {
  ReplicaSet: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  DaemonSet: DAEMON_SET,
};

function controllerKindsOf(pods: readonly LiveObject[]): readonly ObjectKind[] {
  const kinds = pods.flatMap((pod) => {
    const parent = (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller);
    return CONTROLLER_KINDS[parent?.kind ?? ""] ?? [];
  });
  return [...new Set(kinds)];
}
