/** The volumes of a workload: its storage claims, and what its pods mount. */
import type { V1PersistentVolumeClaim, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { Volume, WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { partName, workloadMetadata } from "./metadata.ts";

const TMP = "/tmp";

/** Longer than the name of a workload's own volume may be, so the two never collide. */
const TMP_VOLUME = "mpc-temporary-directory";

const TMP_SIZE = "1Gi";

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

export function podVolumes(intent: WorkloadIntent): readonly Wire<V1Volume>[] {
  const { spec } = intent;
  const tmp = hasOwnTmp(spec) ? [] : [{ name: TMP_VOLUME, emptyDir: { sizeLimit: TMP_SIZE } }];
  return [...tmp, ...spec.volumes.map((volume) => podVolume(intent, volume))];
}

/** Includes a writable `/tmp`, because most programs need one and the root filesystem is read-only. */
export function volumeMounts(spec: WorkloadSpec): readonly Wire<V1VolumeMount>[] {
  const tmp = hasOwnTmp(spec) ? [] : [{ name: TMP_VOLUME, mountPath: TMP }];
  const own = spec.volumes.map(({ name, path, readOnly }) => ({
    name,
    mountPath: path,
    ...(readOnly && { readOnly }),
  }));
  return [...tmp, ...own];
}

const claimName = (intent: WorkloadIntent, volume: string): string => partName(intent, volume);

const hasOwnTmp = ({ volumes }: WorkloadSpec): boolean => volumes.some(({ path }) => path === TMP);

function podVolume(intent: WorkloadIntent, volume: Volume): Wire<V1Volume> {
  const { name, scratch, storage, secret, config } = volume;
  if (scratch) {
    return {
      name,
      emptyDir: {
        ...(scratch.inMemory && { medium: "Memory" }),
        ...(scratch.size !== null && { sizeLimit: scratch.size }),
      },
    };
  }
  if (storage) return { name, persistentVolumeClaim: { claimName: claimName(intent, name) } };
  if (secret !== null) return { name, secret: { secretName: secret } };
  return { name, configMap: { name: config ?? "" } };
}
