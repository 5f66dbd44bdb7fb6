/**
 * The table columns of every kind of resource, from the API's JSON, so that tables need no
 * protobuf.
 */
import type {
  AuditRecordJson,
  ClusterEventJson,
  ConditionJson,
  EnvironmentJson,
  OperationJson,
  PodJson,
  RevisionJson,
  TokenJson,
  WorkloadJson,
  WorkloadSpecJson,
} from "@mpc/proto";
import { environmentIdOf, idOf } from "../names.ts";
import type { OutputFormat } from "./format.ts";
import { age, between, until } from "./time.ts";

export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
  /** The fields that the value is made of, for read masks. */
  readonly fields: readonly (keyof T & string)[];
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

export const ENVIRONMENT_COLUMNS: readonly Column<EnvironmentJson>[] = [
  { header: "NAME", fields: ["name"], value: (e) => idOf(e.name ?? "") },
  {
    header: "STATE",
    fields: ["state", "conditions"],
    value: (e) => stateOf(bare("ENVIRONMENT_STATE_", e.state), e.conditions),
  },
  { header: "EXPIRES", fields: ["expireTime"], value: (e) => until(e.expireTime) },
  { header: "LABELS", fields: ["labels"], value: (e) => labels(e.labels) },
  { header: "AGE", fields: ["createTime"], value: (e) => age(e.createTime) },
  {
    header: "PROTECTED",
    fields: ["deletionProtection"],
    value: (e) => e.deletionProtection ? "yes" : "no",
    wide: true,
  },
  { header: "CLUSTER", fields: ["cluster"], value: (e) => e.cluster ?? "", wide: true },
  { header: "QUOTA", fields: ["quota"], value: quota, wide: true },
  {
    header: "LAST OPERATION",
    fields: ["lastOperation"],
    value: (e) => idOf(e.lastOperation ?? ""),
    wide: true,
  },
];

export const WORKLOAD_COLUMNS: readonly Column<WorkloadJson>[] = [
  { header: "NAME", fields: ["name"], value: (w) => idOf(w.name ?? "") },
  { header: "ENV", fields: ["name"], value: (w) => environmentIdOf(w.name ?? "") },
  {
    header: "STATE",
    fields: ["state", "conditions"],
    value: (w) => stateOf(bare("WORKLOAD_STATE_", w.state), w.conditions),
  },
  { header: "READY", fields: ["readyReplicas", "spec"], value: ready },
  { header: "IMAGE", fields: ["spec"], value: (w) => imageOf(w.spec) },
  { header: "REVISION", fields: ["activeRevision"], value: (w) => String(w.activeRevision ?? 0) },
  { header: "AGE", fields: ["createTime"], value: (w) => age(w.createTime) },
  { header: "LABELS", fields: ["labels"], value: (w) => labels(w.labels), wide: true },
  {
    header: "LAST OPERATION",
    fields: ["lastOperation"],
    value: (w) => idOf(w.lastOperation ?? ""),
    wide: true,
  },
];

export const REVISION_COLUMNS: readonly Column<RevisionJson>[] = [
  { header: "REVISION", fields: ["number"], value: (r) => String(r.number ?? 0) },
  { header: "ACTIVE", fields: ["active"], value: (r) => r.active ? "yes" : "no" },
  { header: "IMAGE", fields: ["spec"], value: (r) => imageOf(r.spec) },
  {
    header: "REPLICAS",
    fields: ["spec", "readyReplicas"],
    // Only a chart itself knows its number of copies.
    value: ({ spec, readyReplicas = "" }) => spec?.chart ? String(readyReplicas) : copies(spec),
  },
  { header: "AGE", fields: ["createTime"], value: (r) => age(r.createTime) },
  { header: "OPERATION", fields: ["operation"], value: (r) => idOf(r.operation ?? ""), wide: true },
];

export const POD_COLUMNS: readonly Column<PodJson>[] = [
  { header: "NAME", fields: ["name"], value: (p) => p.name ?? "" },
  { header: "READY", fields: ["ready"], value: (p) => p.ready ? "yes" : "no" },
  { header: "STATUS", fields: ["status"], value: (p) => p.status ?? "" },
  { header: "RESTARTS", fields: ["restarts"], value: (p) => String(p.restarts ?? 0) },
  { header: "NODE", fields: ["node"], value: (p) => p.node ?? "" },
  { header: "AGE", fields: ["createTime"], value: (p) => age(p.createTime) },
  { header: "MESSAGE", fields: ["message"], value: (p) => p.message ?? "" },
  { header: "IMAGE", fields: ["image"], value: (p) => p.image ?? "", wide: true },
];

/** What tells items of many workloads apart. */
export const WORKLOAD_OF_COLUMNS: readonly Column<{ workload?: string }>[] = [
  { header: "ENV", fields: ["workload"], value: (of) => environmentIdOf(of.workload ?? "") },
  { header: "WORKLOAD", fields: ["workload"], value: (of) => idOf(of.workload ?? "") },
];

export const CLUSTER_EVENT_COLUMNS: readonly Column<ClusterEventJson>[] = [
  { header: "LAST SEEN", fields: ["time"], value: (e) => age(e.time) },
  { header: "TYPE", fields: ["warning"], value: (e) => e.warning ? "Warning" : "Normal" },
  { header: "REASON", fields: ["reason"], value: (e) => e.reason ?? "" },
  { header: "OBJECT", fields: ["object"], value: (e) => e.object ?? "" },
  { header: "COUNT", fields: ["count"], value: (e) => String(e.count ?? 1) },
  { header: "MESSAGE", fields: ["message"], value: (e) => e.message ?? "" },
];

export const OPERATION_COLUMNS: readonly Column<OperationJson>[] = [
  { header: "ID", fields: ["name"], value: (o) => idOf(o.name ?? "") },
  { header: "KIND", fields: ["kind"], value: (o) => o.kind ?? "" },
  { header: "TARGET", fields: ["target"], value: (o) => o.target ?? "" },
  { header: "STATE", fields: ["state"], value: (o) => bare("OPERATION_STATE_", o.state) },
  { header: "STEP", fields: ["steps", "state"], value: step },
  {
    header: "TOOK",
    fields: ["startTime", "endTime"],
    value: (o) => between(o.startTime, o.endTime),
  },
  { header: "AGE", fields: ["createTime"], value: (o) => age(o.createTime) },
  { header: "ACTOR", fields: ["actor"], value: (o) => o.actor ?? "", wide: true },
  { header: "REASON", fields: ["error"], value: (o) => o.error?.reason ?? "", wide: true },
];

export const AUDIT_COLUMNS: readonly Column<AuditRecordJson>[] = [
  { header: "TIME", fields: ["time"], value: (a) => a.time ?? "" },
  { header: "ACTOR", fields: ["actor"], value: (a) => a.actor ?? "" },
  { header: "METHOD", fields: ["method"], value: (a) => idOf(a.method ?? "") },
  { header: "TARGET", fields: ["target"], value: (a) => a.target ?? "" },
  { header: "RESULT", fields: ["phase", "result", "count"], value: result },
  { header: "REASON", fields: ["reason"], value: (a) => a.reason ?? "" },
  { header: "SOURCE", fields: ["source"], value: (a) => a.source ?? "", wide: true },
  { header: "PERMISSION", fields: ["permission"], value: (a) => a.permission ?? "", wide: true },
  {
    header: "OPERATION",
    fields: ["operation"],
    value: (a) => idOf(a.operation ?? ""),
    wide: true,
  },
  { header: "SEQUENCE", fields: ["sequence"], value: (a) => a.sequence ?? "", wide: true },
];

export const TOKEN_COLUMNS: readonly Column<TokenJson>[] = [
  { header: "NAME", fields: ["name"], value: (t) => idOf(t.name ?? "") },
  { header: "GROUPS", fields: ["groups"], value: (t) => (t.groups ?? []).join(",") },
  { header: "EXPIRES", fields: ["expireTime"], value: (t) => until(t.expireTime) },
  { header: "LAST USED", fields: ["lastUseTime"], value: (t) => age(t.lastUseTime) },
  { header: "AGE", fields: ["createTime"], value: (t) => age(t.createTime) },
  { header: "DESCRIPTION", fields: ["displayName"], value: (t) => t.displayName ?? "" },
  { header: "PRINCIPAL", fields: ["principal"], value: (t) => t.principal ?? "", wide: true },
  { header: "CREATOR", fields: ["creator"], value: (t) => t.creator ?? "", wide: true },
];

/**
 * The read mask of a list (AIP-157), as JSON has it: what its format shows; undefined for all.
 */
export function readMaskOf<T>(
  { kind }: OutputFormat,
  columns: readonly Column<T>[],
): string | undefined {
  if (kind === "name") return "name";
  if (kind !== "table" && kind !== "wide") return undefined;
  const shown = columns.filter((column) => !column.wide || kind === "wide");
  return [...new Set(shown.flatMap(({ fields }) => fields))].join();
}

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

/** The state, and whether the cluster differs: `READY,Drifted`, as kubectl shows nodes. */
function stateOf(state: string, conditions: readonly ConditionJson[] = []): string {
  const drifted = conditions.some(({ type, status }) =>
    type === "Drifted" && status === "CONDITION_STATUS_TRUE"
  );
  return drifted ? `${state},Drifted` : state;
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

/** The result of a call, and for how many calls the record stands. */
function result({ phase, result = "", count = "1" }: AuditRecordJson): string {
  if (phase === "AUDIT_PHASE_REQUESTED") return "requested";
  return count === "1" ? result : `${result} ×${count}`;
}

/** The step that an operation is running, or at which it failed. */
function step({ steps = [], state }: OperationJson): string {
  if (state === "OPERATION_STATE_SUCCEEDED") return "";
  const at = steps.find(({ state }) =>
    state !== "STEP_STATE_SUCCEEDED" && state !== "STEP_STATE_UNDONE"
  );
  return at?.state === "STEP_STATE_PENDING" ? "" : at?.name ?? "";
}
