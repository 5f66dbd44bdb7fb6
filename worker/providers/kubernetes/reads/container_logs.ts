import { isMpcError } from "@mpc/domain";
import type { LogLine, LogQuery } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";

/** What one container prints; nothing where it has not begun, or has gone. */
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
    // What others print matters all the same.
    if (!isMpcError(error, "NOT_FOUND", "INVALID_ARGUMENT")) throw error;
  }
}
