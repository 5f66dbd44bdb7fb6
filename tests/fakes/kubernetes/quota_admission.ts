import { POD, RESOURCE_QUOTA } from "../../../worker/providers/kubernetes/client/kinds.ts";
import {
  fieldAt,
  type LiveObject,
} from "../../../worker/providers/kubernetes/client/kube_object.ts";
import type { FakeApiServer } from "./fake_api_server.ts";

/** The rejection of one more pod of a ReplicaSet by a quota; undefined if it fits. */
export function quotaRefusal(server: FakeApiServer, set: LiveObject): string | undefined {
  const { namespace } = set.metadata;
  for (const quota of server.list(RESOURCE_QUOTA, { namespace })) {
    const limit = millis(fieldAt(quota, "spec", "hard", "requests.cpu"));
    const wanted = cpuOf(fieldAt(set, "spec", "template", "spec"));
    const used = server.list(POD, { namespace }).reduce((sum, pod) => sum + cpuOf(pod["spec"]), 0);
    if (limit === undefined || used + wanted <= limit) continue;
    return `pods "x" is forbidden: exceeded quota: ${quota.metadata.name}, requested: requests.cpu=${wanted}m, used: requests.cpu=${used}m, limited: requests.cpu=${limit}m`;
  }
  return undefined;
}

function cpuOf(spec: unknown): number {
  return millis(fieldAt(spec, "containers", 0, "resources", "requests", "cpu")) ?? 0;
}

function millis(quantity: unknown): number | undefined {
  if (typeof quantity !== "string") return undefined;
  return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1_000;
}
