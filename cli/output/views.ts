/** The columns of every kind of resource. */
import {
  type Environment,
  EnvironmentSchema,
  EnvironmentState,
  type Operation,
  OperationSchema,
  OperationState,
  type Revision,
  RevisionSchema,
  StepState,
  type Workload,
  WorkloadSchema,
  WorkloadState,
} from "@mpc/proto";
import { environmentIdOf, idOf } from "../names.ts";
import type { View } from "./print.ts";
import { age, between, until } from "./time.ts";

export const ENVIRONMENT_VIEW: View<typeof EnvironmentSchema> = {
  schema: EnvironmentSchema,
  columns: [
    { header: "NAME", value: (e: Environment) => idOf(e.name) },
    { header: "STATE", value: (e) => EnvironmentState[e.state] },
    { header: "EXPIRES", value: (e) => until(e.expireTime) },
    { header: "LABELS", value: (e) => labels(e.labels) },
    { header: "AGE", value: (e) => age(e.createTime) },
    { header: "PROTECTED", value: (e) => e.deletionProtection ? "yes" : "no", wide: true },
    { header: "QUOTA", value: quota, wide: true },
    { header: "LAST OPERATION", value: (e) => idOf(e.lastOperation), wide: true },
  ],
};

export const WORKLOAD_VIEW: View<typeof WorkloadSchema> = {
  schema: WorkloadSchema,
  columns: [
    { header: "NAME", value: (w: Workload) => idOf(w.name) },
    { header: "ENV", value: (w) => environmentIdOf(w.name) },
    { header: "STATE", value: (w) => WorkloadState[w.state] },
    { header: "READY", value: (w) => `${w.readyReplicas}/${w.spec?.replicas ?? 0}` },
    { header: "IMAGE", value: (w) => w.spec?.image ?? "" },
    { header: "REVISION", value: (w) => String(w.activeRevision) },
    { header: "AGE", value: (w) => age(w.createTime) },
    { header: "LABELS", value: (w) => labels(w.labels), wide: true },
    { header: "LAST OPERATION", value: (w) => idOf(w.lastOperation), wide: true },
  ],
};

export const REVISION_VIEW: View<typeof RevisionSchema> = {
  schema: RevisionSchema,
  columns: [
    { header: "REVISION", value: (r: Revision) => String(r.number) },
    { header: "ACTIVE", value: (r) => r.active ? "yes" : "no" },
    { header: "IMAGE", value: (r) => r.spec?.image ?? "" },
    { header: "REPLICAS", value: (r) => String(r.spec?.replicas ?? 0) },
    { header: "AGE", value: (r) => age(r.createTime) },
    { header: "OPERATION", value: (r) => idOf(r.operation), wide: true },
  ],
};

export const OPERATION_VIEW: View<typeof OperationSchema> = {
  schema: OperationSchema,
  columns: [
    { header: "ID", value: (o: Operation) => idOf(o.name) },
    { header: "KIND", value: (o) => o.kind },
    { header: "TARGET", value: (o) => o.target },
    { header: "STATE", value: (o) => OperationState[o.state] },
    { header: "STEP", value: step },
    { header: "TOOK", value: (o) => between(o.startTime, o.endTime) },
    { header: "AGE", value: (o) => age(o.createTime) },
    { header: "ACTOR", value: (o) => o.actor, wide: true },
    { header: "REASON", value: (o) => o.error?.reason ?? "", wide: true },
  ],
};

function labels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",");
}

function quota({ quota }: Environment): string {
  if (!quota) return "";
  return [
    quota.workloads > 0 && `workloads=${quota.workloads}`,
    quota.cpu && `cpu=${quota.cpu}`,
    quota.memory && `memory=${quota.memory}`,
  ].filter(Boolean).join(",");
}

function step({ steps, state }: Operation): string {
  if (state === OperationState.SUCCEEDED) return "";
  const at = steps.find((step) =>
    step.state !== StepState.SUCCEEDED && step.state !== StepState.UNDONE
  );
  return at?.state === StepState.PENDING ? "" : at?.name ?? "";
}
