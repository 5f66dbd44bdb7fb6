import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { partName, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Name of the claim of a volume that is storage. */
export const claimName = (intent: WorkloadIntent, volume: string): string =>
  partName(intent, volume);

/** The storage of a workload, which outlives its pods. */
export function storageClaims(intent: WorkloadIntent): readonly KubernetesObject[] {
  return intent.spec.volumes.flatMap(({ name, storage }) =>
    storage === null ? [] : [
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: workloadMetadata(intent, claimName(intent, name)),
        spec: {
          accessModes: [storage.shared ? "ReadWriteMany" : "ReadWriteOnce"],
          ...(storage.storageClass !== null && { storageClassName: storage.storageClass }),
          resources: { requests: { storage: storage.size } },
        },
      } satisfies Wire<V1PersistentVolumeClaim>,
    ]
  );
}
