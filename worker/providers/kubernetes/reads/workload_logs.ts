import { isMpcError } from "@mpc/domain";
import type { LogLine, LogQuery } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { POD } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import { workloadSelector } from "../objects/ownership.ts";
import { merged } from "./merged.ts";

/**
 * What the pods of a workload print. Following goes on until the pods that were there have ended.
 * @throws {MpcError} NOT_FOUND `NOT_ON_CLUSTER`
 */
export async function* workloadLogs(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const { signal, replica } = query;
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const { items } = await client.list(POD, selection, { signal });
  const pods = items.filter(({ metadata }) => replica === null || metadata.name === replica);
  if (pods.length === 0) throw notOnCluster(replica ?? workload);
  const sources = pods.flatMap((pod) =>
    containerNames(pod).map((container) => containerLogs(client, pod, container, query))
  );
  try {
    yield* merged(sources, query.follow ? "as they come" : "by time");
  } catch (error) {
    if (!(query.follow && signal.aborted)) throw error;
  }
}

function containerNames(pod: LiveObject): readonly string[] {
  return ((fieldAt(pod, "spec", "containers") ?? []) as readonly { name: string }[])
    .map(({ name }) => name);
}

async function* containerLogs(
  client: KubeClient,
  { metadata }: LiveObject,
  container: string,
  { follow, tail, since, signal }: LogQuery,
): AsyncGenerator<LogLine> {
  const { name: pod, namespace = "" } = metadata;
  try {
    const lines = client.podLogs({ namespace, pod, container, follow, tail, since, signal });
    for await (const { time, text } of lines) yield { replica: pod, time, text };
  } catch (error) {
    // It has not begun to print, or has gone since: what others print matters all the same.
    if (!isMpcError(error, "NOT_FOUND", "INVALID_ARGUMENT")) throw error;
  }
}
