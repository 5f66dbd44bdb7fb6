/** What is mounted into the pods of a workload. */
import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { Volume, WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { claimName } from "./storage_claims.ts";
import type { Wire } from "./wire.ts";

const TMP = "/tmp";

/** Longer than a workload's own volumes may be called. */
const TMP_VOLUME = "mpc-temporary-directory";

const TMP_SIZE = "1Gi";

export function podVolumes(intent: WorkloadIntent): readonly Wire<V1Volume>[] {
  const { spec } = intent;
  const tmp = hasOwnTmp(spec) ? [] : [{ name: TMP_VOLUME, emptyDir: { sizeLimit: TMP_SIZE } }];
  return [...tmp, ...spec.volumes.map((volume) => podVolume(intent, volume))];
}

/** Nearly every program takes it for granted that it can write there. */
export function volumeMounts(spec: WorkloadSpec): readonly Wire<V1VolumeMount>[] {
  const tmp = hasOwnTmp(spec) ? [] : [{ name: TMP_VOLUME, mountPath: TMP }];
  const own = spec.volumes.map(({ name, path, readOnly }) => ({
    name,
    mountPath: path,
    ...(readOnly && { readOnly }),
  }));
  return [...tmp, ...own];
}

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
