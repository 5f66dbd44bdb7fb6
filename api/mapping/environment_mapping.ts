import { type Environment as EnvironmentRecord, etagOf } from "@mpc/domain";
import { type Environment, EnvironmentState } from "@mpc/proto";
import type { Stored } from "@mpc/services";
import { toCondition } from "./common_mapping.ts";
import { fromDuration, timestamp } from "./values.ts";

/** An environment in the API's form. It is written out, because lists make many of them. */
export function toEnvironment({ value, version }: Stored<EnvironmentRecord>): Environment {
  const { quota, expireTime } = value;
  return {
    $typeName: "mpc.v1.Environment",
    name: value.name,
    uid: value.uid,
    etag: etagOf(value.uid, version),
    generation: BigInt(value.generation),
    labels: { ...value.labels },
    annotations: { ...value.annotations },
    createTime: timestamp(value.createTime),
    updateTime: timestamp(value.updateTime),
    state: EnvironmentState[value.state],
    conditions: value.conditions.map(toCondition),
    reconciling: value.currentOperation !== null,
    currentOperation: value.currentOperation ?? "",
    lastOperation: value.lastOperation ?? "",
    ...(expireTime !== null && { expireTime: timestamp(expireTime) }),
    deletionProtection: value.deletionProtection,
    quota: {
      $typeName: "mpc.v1.Quota",
      workloads: quota.workloads ?? 0,
      cpu: quota.cpu ?? "",
      memory: quota.memory ?? "",
    },
    cluster: value.cluster,
  };
}

/** The fields of a creation, for the use case to validate. */
export function fromEnvironment(environment: Environment | undefined): unknown {
  if (!environment) return undefined;
  const { labels, annotations, deletionProtection, quota, cluster } = environment;
  return {
    labels,
    annotations,
    deletionProtection,
    cluster,
    ...expiryOf(environment),
    ...(quota && { quota: { workloads: quota.workloads, cpu: quota.cpu, memory: quota.memory } }),
  };
}

/**
 * The fields of an update: those of the mask, or those that are set (AIP-134).
 * @returns the change, and the paths of the mask that cannot be changed
 */
export function fromEnvironmentUpdate(
  environment: Environment,
  paths: readonly string[],
): { readonly change: Record<string, unknown>; readonly unknown: readonly string[] } {
  const { labels, annotations, deletionProtection, quota, cluster } = environment;
  const fields: Record<string, () => Record<string, unknown>> = {
    labels: () => ({ labels }),
    annotations: () => ({ annotations }),
    deletion_protection: () => ({ deletionProtection }),
    quota: () => ({
      quota: {
        workloads: quota?.workloads ?? 0,
        cpu: quota?.cpu ?? "",
        memory: quota?.memory ?? "",
      },
    }),
    ttl: () => expiryOf(environment),
    expire_time: () => expiryOf(environment),
    cluster: () => ({ cluster }),
  };
  const set = [
    Object.keys(labels).length > 0 && "labels",
    Object.keys(annotations).length > 0 && "annotations",
    deletionProtection && "deletion_protection",
    quota && "quota",
    (environment.ttl || environment.expireTime) && "ttl",
    cluster !== "" && "cluster",
  ].filter((path) => typeof path === "string");
  const wanted = paths.length === 0 ? set : paths.includes("*") ? Object.keys(fields) : paths;
  return {
    change: Object.assign({}, ...wanted.map((path) => fields[path]?.() ?? {})),
    unknown: wanted.filter((path) => !Object.hasOwn(fields, path)),
  };
}

/** A time to live or a time of expiry; never if neither is set (AIP-214). */
function expiryOf({ ttl, expireTime }: Environment): Record<string, number | null> {
  if (ttl) return { ttlMs: fromDuration(ttl) };
  if (!expireTime) return { expireTime: null };
  const { seconds, nanos } = expireTime;
  return { expireTime: Number(seconds) * 1_000 + Math.ceil(nanos / 1_000_000) };
}
