import { isMpcError } from "@mpc/domain";
import { withMade } from "../../provider_errors.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { refOf, textOf } from "../client/kube_object.ts";

/**
 * Runs a call that changes objects. Where it fails, its error says what it may have changed before:
 * every object whose change the API server has not refused for certain.
 */
export async function tellChanges<T>(
  client: KubeClient,
  call: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const changed = new Set<string>();
  try {
    return await call(recording(client, changed));
  } catch (error) {
    throw isMpcError(error) ? withMade(error, [...changed]) : error;
  }
}

/** The same client, which adds to a set what it may have changed. */
function recording(client: KubeClient, changed: Set<string>): KubeClient {
  const record = async <R>(object: string, change: () => Promise<R>): Promise<R> => {
    const isFirst = !changed.has(object);
    changed.add(object);
    try {
      return await change();
    } catch (error) {
      if (isFirst && isRefused(error)) changed.delete(object);
      throw error;
    }
  };
  return {
    cluster: client.cluster,
    get: (ref, call) => client.get(ref, call),
    namespacedKinds: (call) => client.namespacedKinds(call),
    list: (kind, selection, call) => client.list(kind, selection, call),
    apply: (object, options) =>
      options.dryRun
        ? client.apply(object, options)
        : record(textOf(refOf(object)), () => client.apply(object, options)),
    delete: (ref, options) => record(textOf(ref), () => client.delete(ref, options)),
    watch: (kind, selection, from) => client.watch(kind, selection, from),
    review: (question, call) => client.review(question, call),
    podLogs: (query) => client.podLogs(query),
    close: () => client.close(),
  };
}

/** Whether the request changed nothing: it was not sent, or the API server's answer refuses it. */
function isRefused(error: unknown): boolean {
  if (!isMpcError(error)) return false;
  if (error.metadata["sent"] === "no" || error.reason === "ADMISSION_UNREACHABLE") return true;
  return !isMpcError(error, "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL");
}
