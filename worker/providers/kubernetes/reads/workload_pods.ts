import type { PodStatus } from "@mpc/services";
import { POD } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { conditionOf, containersOf, isKind, type ObjectOf } from "../client/typed_objects.ts";
import { workloadSelector } from "../objects/ownership.ts";

/** The pods of a workload, sorted by name. */
export async function workloadPods(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<readonly PodStatus[]> {
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const { items } = await client.list(POD, selection, { signal });
  return items.filter(isPod).map(podStatus).sort((a, b) => a.name < b.name ? -1 : 1);
}

const isPod = (object: LiveObject): object is ObjectOf<"Pod"> => isKind(object, "Pod");

function podStatus(pod: ObjectOf<"Pod">): PodStatus {
  const containers = containersOf(pod);
  const ready = conditionOf(pod, "Ready")?.status === "True";
  return {
    ...reasonOf(pod, ready),
    name: pod.metadata.name,
    ready,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    image: pod.spec?.containers[0]?.image ?? "",
    node: pod.spec?.nodeName ?? "",
    createTime: Date.parse(pod.metadata.creationTimestamp ?? "") || 0,
  };
}

/** The text of kubectl's STATUS column, and the cluster's explanation. */
function reasonOf(pod: ObjectOf<"Pod">, ready: boolean): { status: string; message: string } {
  if (pod.metadata.deletionTimestamp !== undefined) return { status: "Terminating", message: "" };
  for (const { state, lastState } of containersOf(pod)) {
    const { reason, message = "" } = state?.waiting ?? state?.terminated ?? {};
    if (reason === undefined || reason === "Completed") continue;
    const code = lastState?.terminated?.exitCode;
    const after = code === undefined ? "" : ` (exit code ${code})`;
    return { status: reason, message: `${message}${after}` };
  }
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status === "False") {
    return { status: scheduled.reason ?? "Pending", message: scheduled.message ?? "" };
  }
  const status = pod.status?.reason ?? pod.status?.phase ?? "";
  return { status, message: ready ? "" : conditionOf(pod, "Ready")?.message ?? "" };
}
