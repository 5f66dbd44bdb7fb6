import type { V1ServiceAccount } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { policyMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Whom the pods of all workloads run as: nobody that the API server knows a permission of. */
export const SERVICE_ACCOUNT = "workloads";

export function serviceAccount(intent: NamespaceIntent): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: policyMetadata(intent, SERVICE_ACCOUNT),
    automountServiceAccountToken: false,
  } satisfies Wire<V1ServiceAccount>;
}
