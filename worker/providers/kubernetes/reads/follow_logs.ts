import type { LogLine, LogQuery } from "@mpc/services";
import { throwIfAborted } from "../../provider_errors.ts";
import { DAEMON_SET, DEPLOYMENT, POD, STATEFUL_SET } from "../client/kinds.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { ownerOf } from "../objects/ownership.ts";
import { mainContainersOf } from "../rollout/snapshot.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { trackOwned } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { containerLogs } from "./container_logs.ts";
import { joined, type Joining } from "./joined.ts";

/**
 * What pods print from now on, and what the pods print that take their place, as the watch that all
 * share tells of them. Ends with what makes the pods; where nothing does, or only one of them is
 * asked for, with the pods.
 * @param pods those of the workload that are there, at least one
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
  const kinds = query.replica === null ? makersOf(pods) : [];
  /** How often each container had been restarted that is read. */
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
    const makers = await trackOwned(cluster, kinds, selection, signal);
    const first = pods.flatMap((pod) => newLogs(pod, query));
    yield* joined((): Joining => {
      throwIfAborted(signal);
      if (kinds.length === 0) return { sources: first, again: undefined };
      const changed = watch.changed(owner);
      troubleOf([informer.failure, ...makers.map(({ trouble }) => trouble)]);
      // What starts later is new from its first line on.
      const later = informer.of(owner).flatMap((pod) => newLogs(pod, { ...query, tail: null }));
      const goesOn = makers.some((maker) => maker.current() !== undefined);
      return {
        sources: [...first.splice(0), ...later],
        again: goesOn ? AbortSignal.any([changed, signal]) : undefined,
      };
    });
  } finally {
    stop.abort();
  }
}

/** What keeps pods that are made by something of this kind. */
const MAKERS: Readonly<Record<string, ObjectKind>> = {
  ReplicaSet: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  DaemonSet: DAEMON_SET,
};

function makersOf(pods: readonly LiveObject[]): readonly ObjectKind[] {
  const kinds = pods.flatMap((pod) => {
    const parent = (pod.metadata.ownerReferences ?? []).find(({ controller }) => controller);
    return MAKERS[parent?.kind ?? ""] ?? [];
  });
  return [...new Set(kinds)];
}
