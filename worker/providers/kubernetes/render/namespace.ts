import type { V1Namespace } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { ENVIRONMENT, MANAGED_BY, MANAGER, UID } from "./labels.ts";
import type { Wire } from "./wire.ts";

const POD_SECURITY = "pod-security.kubernetes.io";

/**
 * The namespace of an environment, by the environment's own id: what a person types for one is what
 * they type for the other, and a namespace that is somebody else's is refused, because it lacks our
 * labels. Its pods must meet the strictest of the Pod Security Standards.
 */
export function namespace({ environment, uid, labels }: NamespaceIntent): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: environment,
      labels: {
        ...labels,
        [MANAGED_BY]: MANAGER,
        [ENVIRONMENT]: environment,
        [UID]: uid,
        [`${POD_SECURITY}/enforce`]: "restricted",
        [`${POD_SECURITY}/audit`]: "restricted",
        [`${POD_SECURITY}/warn`]: "restricted",
      },
    },
  } satisfies Wire<V1Namespace>;
}
