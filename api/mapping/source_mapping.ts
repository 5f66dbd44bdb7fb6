/** Variables and volumes of a spec that come from the cluster, each with one of several sources. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EnvSource as EnvSourceRecord, Volume as VolumeRecord } from "@mpc/domain";
import type { EnvSource, EnvSourceSchema, Volume, VolumeSchema } from "@mpc/proto";

export function toEnvSource(
  { variable, key, secret, config }: EnvSourceRecord,
): MessageInitShape<typeof EnvSourceSchema> {
  return { variable, key, source: reference({ secret, config }) };
}

export function fromEnvSource({ variable, key, source }: EnvSource): unknown {
  return { variable, key, ...(source.case && { [source.case]: source.value }) };
}

export function toVolume(volume: VolumeRecord): MessageInitShape<typeof VolumeSchema> {
  const { name, path, readOnly, scratch, storage, secret, config } = volume;
  const source = scratch
    ? { case: "scratch" as const, value: { ...scratch, size: scratch.size ?? "" } }
    : storage
    ? { case: "storage" as const, value: { ...storage, storageClass: storage.storageClass ?? "" } }
    : reference({ secret, config });
  return { name, path, readOnly, source };
}

export function fromVolume({ name, path, readOnly, source }: Volume): unknown {
  const fields = { name, path, readOnly };
  switch (source.case) {
    case "scratch": {
      const { size, inMemory } = source.value;
      return { ...fields, scratch: { size, inMemory } };
    }
    case "storage": {
      const { size, storageClass, shared } = source.value;
      return { ...fields, storage: { size, storageClass, shared } };
    }
    case undefined:
      return fields;
    default:
      return { ...fields, [source.case]: source.value };
  }
}

function reference({ secret, config }: Pick<VolumeRecord, "secret" | "config">) {
  return secret === null
    ? { case: "config" as const, value: config ?? "" }
    : { case: "secret" as const, value: secret };
}
