import type { LogLine, LogQuery } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { POD } from "../client/kinds.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { isKind } from "../client/typed_objects.ts";
import { workloadSelector } from "../objects/ownership.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { containerLogs } from "./container_logs.ts";
import { followLogs } from "./follow_logs.ts";

type LogSource = AsyncGenerator<LogLine>;

/**
 * The log lines of a workload's pods. {@linkcode followLogs} says when following ends.
 * @throws {MpcError} NOT_FOUND `NOT_ON_CLUSTER`
 */
export async function* workloadLogs(
  cluster: WatchedCluster,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  query: LogQuery,
): LogSource {
  const { client } = cluster;
  const { signal, replica, follow } = query;
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const { items } = await client.list(POD, selection, { signal });
  const pods = items.filter(({ metadata }) => replica === null || metadata.name === replica);
  if (pods.length === 0) throw notOnCluster(replica ?? workload);
  if (!follow) {
    yield* mergeByTime(
      pods.flatMap((pod) =>
        containerNames(pod).map((container) => containerLogs(client, pod, container, query))
      ),
    );
    return;
  }
  try {
    yield* followLogs(cluster, pods, query);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const containerNames = (pod: LiveObject): readonly string[] =>
  isKind(pod, "Pod") ? (pod.spec?.containers ?? []).map(({ name }) => name) : [];

/** Merges the lines of sources that end, in the order of their times. */
async function* mergeByTime(sources: readonly LogSource[]): LogSource {
  const heads = new Map<LogSource, Promise<Head>>();
  const pull = (source: LogSource) =>
    heads.set(source, source.next().then((result) => ({ source, result })));
  for (const source of sources) pull(source);
  try {
    while (heads.size > 0) {
      const next = earliest(await Promise.all(heads.values()));
      if (next.result.done) {
        heads.delete(next.source);
        continue;
      }
      yield next.result.value;
      pull(next.source);
    }
  } finally {
    for (const source of heads.keys()) void source.return(undefined).catch(() => {});
  }
}

interface Head {
  readonly source: LogSource;
  readonly result: IteratorResult<LogLine>;
}

/** Sources that have ended come first, so that they are removed. */
function earliest(heads: readonly Head[]): Head {
  const timeOf = ({ result }: Head) => result.done ? -Infinity : result.value.time;
  return heads.reduce((first, head) => timeOf(head) < timeOf(first) ? head : first);
}
