import { isMpcError } from "@mpc/domain";
import type { LogLine, LogQuery } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";

/** The log lines of one container; none if it has not started or no longer exists. */
export async function* containerLogs(
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
    // The logs of the other containers are still wanted.
    if (!isMpcError(error, "NOT_FOUND", "INVALID_ARGUMENT")) throw error;
  }
}
