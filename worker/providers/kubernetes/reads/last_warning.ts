import { isMpcError } from "@mpc/domain";
import { EVENT } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { clusterEvent } from "./workload_events.ts";

/**
 * What the cluster warned of last about an object of this name, with its reason, for people; empty
 * where it did not, or does not tell.
 */
export async function lastWarning(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<string> {
  try {
    const fieldSelector = `involvedObject.name=${name}`;
    const { items } = await client.list(EVENT, { namespace, fieldSelector }, { signal });
    const last = items.map(clusterEvent)
      .filter(({ warning, object }) => warning && object.endsWith(`/${name}`))
      .toSorted((a, b) => a.time - b.time).at(-1);
    return last ? `${last.reason}: ${last.message}` : "";
  } catch (error) {
    if (!isMpcError(error) || signal.aborted) throw error;
    return "";
  }
}
