/**
 * The table columns of every kind of resource, from the API's JSON, so that tables need no
 * protobuf.
 */
import type {
  ClusterEventJson,
  EnvironmentJson,
  OperationJson,
  PodJson,
  RevisionJson,
  WorkloadJson,
  WorkloadSpecJson,
} from "@mpc/proto";
import { environmentIdOf, idOf } from "../names.ts";
import { age, between, until } from "./time.ts";

export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

export const ENVIRONMENT_COLUMNS: readonly Column<EnvironmentJson>[] = [
  { header: "NAME", value: (e) => idOf(e.name ?? "") },
  { header: "STATE", value: (e) => bare("ENVIRONMENT_STATE_", e.state) },
  { header: "EXPIRES", value: (e) => until(e.expireTime) },
  { header: "LABELS", value: (e) => labels(e.labels) },
  { header: "AGE", value: (e) => age(e.createTime) },
  { header: "PROTECTED", value: (e) => e.deletionProtection ? "yes" : "no", wide: true },
  { header: "CLUSTER", value: (e) => e.cluster ?? "", wide: true },
  { header: "QUOTA", value: quota, wide: true },
  { header: "LAST OPERATION", value: (e) => idOf(e.lastOperation ?? ""), wide: true },
];

export const WORKLOAD_COLUMNS: readonly Column<WorkloadJson>[] = [
  { header: "NAME", value: (w) => idOf(w.name ?? "") },
  { header: "ENV", value: (w) => environmentIdOf(w.name ?? "") },
  { header: "STATE", value: (w) => bare("WORKLOAD_STATE_", w.state) },
  { header: "READY", value: ready },
  { header: "IMAGE", value: (w) => imageOf(w.spec) },
  { header: "REVISION", value: (w) => String(w.activeRevision ?? 0) },
  { header: "AGE", value: (w) => age(w.createTime) },
  { header: "LABELS", value: (w) => labels(w.labels), wide: true },
  { header: "LAST OPERATION", value: (w) => idOf(w.lastOperation ?? ""), wide: true },
];

export const REVISION_COLUMNS: readonly Column<RevisionJson>[] = [
  { header: "REVISION", value: (r) => String(r.number ?? 0) },
  { header: "ACTIVE", value: (r) => r.active ? "yes" : "no" },
  { header: "IMAGE", value: (r) => imageOf(r.spec) },
  { header: "REPLICAS", value: (r) => copies(r.spec) },
  { header: "AGE", value: (r) => age(r.createTime) },
  { header: "OPERATION", value: (r) => idOf(r.operation ?? ""), wide: true },
];

export const POD_COLUMNS: readonly Column<PodJson>[] = [
  { header: "NAME", value: (p) => p.name ?? "" },
  { header: "READY", value: (p) => p.ready ? "yes" : "no" },
  { header: "STATUS", value: (p) => p.status ?? "" },
  { header: "RESTARTS", value: (p) => String(p.restarts ?? 0) },
  { header: "NODE", value: (p) => p.node ?? "" },
  { header: "AGE", value: (p) => age(p.createTime) },
  { header: "MESSAGE", value: (p) => p.message ?? "" },
  { header: "IMAGE", value: (p) => p.image ?? "", wide: true },
];

export const CLUSTER_EVENT_COLUMNS: readonly Column<ClusterEventJson>[] = [
  { header: "LAST SEEN", value: (e) => age(e.time) },
  { header: "TYPE", value: (e) => e.warning ? "Warning" : "Normal" },
  { header: "REASON", value: (e) => e.reason ?? "" },
  { header: "OBJECT", value: (e) => e.object ?? "" },
  { header: "COUNT", value: (e) => String(e.count ?? 1) },
  { header: "MESSAGE", value: (e) => e.message ?? "" },
];

export const OPERATION_COLUMNS: readonly Column<OperationJson>[] = [
  { header: "ID", value: (o) => idOf(o.name ?? "") },
  { header: "KIND", value: (o) => o.kind ?? "" },
  { header: "TARGET", value: (o) => o.target ?? "" },
  { header: "STATE", value: (o) => bare("OPERATION_STATE_", o.state) },
  { header: "STEP", value: step },
  { header: "TOOK", value: (o) => between(o.startTime, o.endTime) },
  { header: "AGE", value: (o) => age(o.createTime) },
  { header: "ACTOR", value: (o) => o.actor ?? "", wide: true },
  { header: "REASON", value: (o) => o.error?.reason ?? "", wide: true },
];

/** Only a chart itself knows its number of copies. */
function ready({ readyReplicas = 0, spec }: WorkloadJson): string {
  return spec?.chart ? String(readyReplicas) : `${readyReplicas}/${copies(spec)}`;
}

/** The desired number of copies, or the bounds of autoscaling. */
function copies(spec: WorkloadSpecJson = {}): string {
  const { autoscaling, replicas = 0 } = spec;
  return autoscaling ? `${autoscaling.minReplicas}-${autoscaling.maxReplicas}` : String(replicas);
}

/** The image, or the chart with its version. */
function imageOf({ image = "", chart }: WorkloadSpecJson = {}): string {
  return chart ? `${chart.name}@${chart.version}` : image;
}

/** An enum value without the enum's prefix. */
function bare(prefix: string, value: string | undefined): string {
  return value?.replace(prefix, "") ?? "";
}

function labels(labels: Readonly<Record<string, string>> = {}): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",");
}

function quota({ quota }: EnvironmentJson): string {
  return [
    quota?.workloads && `workloads=${quota.workloads}`,
    quota?.cpu && `cpu=${quota.cpu}`,
    quota?.memory && `memory=${quota.memory}`,
  ].filter(Boolean).join(",");
}

/** The step that an operation is running, or at which it failed. */
function step({ steps = [], state }: OperationJson): string {
  if (state === "OPERATION_STATE_SUCCEEDED") return "";
  const at = steps.find(({ state }) =>
    state !== "STEP_STATE_SUCCEEDED" && state !== "STEP_STATE_UNDONE"
  );
  return at?.state === "STEP_STATE_PENDING" ? "" : at?.name ?? "";
}
