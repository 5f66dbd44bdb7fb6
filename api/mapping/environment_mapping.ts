import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Environment as EnvironmentRecord,
  type EnvironmentPatch,
  etagOf,
  invalidArgument,
  type MpcError,
} from "@mpc/domain";
import { type Environment, EnvironmentState } from "@mpc/proto";
import type { Stored } from "@mpc/services";
import { toCondition } from "./common_mapping.ts";
import { isEverything, parseFieldPath } from "./field_path.ts";
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

/** What an update changes, as the use case takes it. */
export interface EnvironmentUpdate {
  /** Fields that get new values. */
  readonly change: Readonly<Record<string, unknown>>;
  /** Entries of maps and fields of messages that get new values; the others stay. */
  readonly patch: EnvironmentPatch;
}

/**
 * What an update asks for: the paths of its mask (AIP-134, AIP-161), or the fields that are set.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` where the mask names what cannot be changed
 */
export function fromEnvironmentUpdate(
  environment: Environment,
  mask: readonly string[],
): EnvironmentUpdate {
  const paths = wantedPaths(environment, mask);
  const whole = new Set(paths.filter(({ length }) => length === 1).map(([field]) => field));
  const parts = paths.filter(([field, part]) => part !== undefined && !whole.has(field));
  const keysOf = (field: string) =>
    parts.filter(([parent]) => parent === field).map(([, key]) => key!);
  const { labels, annotations, deletionProtection, quota, cluster } = environment;
  return {
    change: {
      ...(whole.has("labels") && { labels }),
      ...(whole.has("annotations") && { annotations }),
      ...(whole.has("deletion_protection") && { deletionProtection }),
      ...(whole.has("quota") && { quota: quotaOf(quota) }),
      ...(whole.has("cluster") && { cluster }),
      ...((whole.has("ttl") || whole.has("expire_time")) && expiryOf({
        ttl: whole.has("ttl") ? environment.ttl : undefined,
        expireTime: whole.has("expire_time") ? environment.expireTime : undefined,
      })),
    },
    patch: {
      labels: entries(labels, keysOf("labels")),
      annotations: entries(annotations, keysOf("annotations")),
      quota: pick(quotaOf(quota), keysOf("quota")),
    },
  };
}

/** The paths that a mask may name, and what may follow them. */
const CHANGEABLE: Readonly<Record<string, "map" | "scalar" | readonly string[]>> = {
  labels: "map",
  annotations: "map",
  quota: ["workloads", "cpu", "memory"],
  ttl: "scalar",
  expire_time: "scalar",
  deletion_protection: "scalar",
  cluster: "scalar",
};

/** The paths of a mask, each of one segment or of two. */
function wantedPaths(
  environment: Environment,
  mask: readonly string[],
): readonly (readonly string[])[] {
  if (isEverything(mask)) return Object.keys(CHANGEABLE).map((field) => [field]);
  if (mask.length === 0) return setFields(environment).map((field) => [field]);
  const paths = mask.map((text) => ({ text, path: parseFieldPath(text) }));
  const bad = paths.filter(({ path }) => !path || !isChangeable(path)).map(({ text }) => text);
  if (bad.length > 0) throw badMask(bad);
  return paths.flatMap(({ path }) => path ? [path] : []);
}

function isChangeable([field = "", part, ...rest]: readonly string[]): boolean {
  const known = Object.hasOwn(CHANGEABLE, field) ? CHANGEABLE[field] : undefined;
  if (known === undefined || rest.length > 0) return false;
  if (part === undefined) return true;
  return known === "map" ? part !== "*" : known !== "scalar" && known.includes(part);
}

function badMask(paths: readonly string[]): MpcError {
  return invalidArgument(
    "update environment",
    paths.map((path) => ({
      field: "update_mask",
      value: path.slice(0, 100),
      rule: "UPDATE_MASK",
      hint: path === "*"
        ? "must be '*' alone, or paths without it"
        : "must name labels, annotations, quota, ttl, expire_time or deletion_protection, or a part such as labels.team or quota.cpu",
    })),
  );
}

function setFields(environment: Environment): readonly string[] {
  const { labels, annotations, deletionProtection, quota, cluster, ttl, expireTime } = environment;
  return [
    Object.keys(labels).length > 0 && "labels",
    Object.keys(annotations).length > 0 && "annotations",
    deletionProtection && "deletion_protection",
    quota && "quota",
    ttl && "ttl",
    expireTime && "expire_time",
    cluster !== "" && "cluster",
  ].filter((path) => typeof path === "string");
}

/** Unset fields of a quota are "no limit". */
function quotaOf(quota: Environment["quota"]) {
  const { workloads = 0, cpu = "", memory = "" } = quota ?? {};
  return { workloads, cpu, memory };
}

/** The named entries of a map; null for one that it does not have. */
function entries(
  map: Readonly<Record<string, string>>,
  keys: readonly string[],
): Record<string, string | null> {
  return Object.fromEntries(
    keys.map((key) => [key, Object.hasOwn(map, key) ? map[key]! : null]),
  );
}

function pick<T extends object>(object: T, keys: readonly string[]): Partial<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([key]) => keys.includes(key)),
  ) as Partial<T>;
}

/** How long, or until when (the use case refuses both); never where neither is set (AIP-214). */
function expiryOf(
  { ttl, expireTime }: { ttl?: Duration | undefined; expireTime?: Timestamp | undefined },
): Record<string, number | null> {
  const ttlMs = fromDuration(ttl);
  if (!expireTime) return ttlMs === null ? { expireTime: null } : { ttlMs };
  const { seconds, nanos } = expireTime;
  const time = Number(seconds) * 1_000 + Math.ceil(nanos / 1_000_000);
  return { ...(ttlMs !== null && { ttlMs }), expireTime: time };
}
