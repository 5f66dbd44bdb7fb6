import type { V1LimitRange } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { policyMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** What containers get that say nothing: a quota lets in only what asks for something. */
export function limitRange(intent: NamespaceIntent): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: policyMetadata(intent, "limits"),
    spec: {
      limits: [{
        type: "Container",
        defaultRequest: { cpu: "100m", memory: "128Mi" },
        // Memory that is not there kills; cpu that is not there only takes longer.
        default: { memory: "512Mi" },
      }],
    },
  } satisfies Wire<V1LimitRange>;
}
