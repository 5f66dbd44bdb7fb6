import { create } from "@bufbuild/protobuf";
import {
  etagOf,
  type Revision as RevisionRecord,
  type Workload as WorkloadRecord,
} from "@mpc/domain";
import {
  type Revision,
  RevisionSchema,
  type Workload,
  WorkloadSchema,
  WorkloadState,
} from "@mpc/proto";
import type { Stored } from "@mpc/services";
import { toCondition } from "./common_mapping.ts";
import { fromSpec, toSpec } from "./spec_mapping.ts";
import { toTimestamp } from "./values.ts";

/** A workload in the API's form, without its secrets. */
export function toWorkload({ value, version }: Stored<WorkloadRecord>): Workload {
  return create(WorkloadSchema, {
    name: value.name,
    uid: value.uid,
    etag: etagOf(value.uid, version),
    generation: BigInt(value.generation),
    labels: { ...value.labels },
    annotations: { ...value.annotations },
    createTime: toTimestamp(value.createTime),
    updateTime: toTimestamp(value.updateTime),
    state: WorkloadState[value.state],
    conditions: value.conditions.map(toCondition),
    reconciling: value.currentOperation !== null,
    currentOperation: value.currentOperation ?? "",
    lastOperation: value.lastOperation ?? "",
    spec: toSpec(value.spec),
    activeRevision: value.activeRevision,
    readyReplicas: value.readyReplicas,
  });
}

/** A revision in the API's form, without its secrets. */
export function toRevision({ value }: Stored<RevisionRecord>, activeRevision: number): Revision {
  return create(RevisionSchema, {
    name: value.name,
    number: value.number,
    spec: toSpec(value.spec),
    operation: value.operation,
    createTime: toTimestamp(value.createTime),
    active: value.number === activeRevision,
    ...(value.readyReplicas !== undefined && { readyReplicas: value.readyReplicas }),
  });
}

/** The fields of a deployment, for the use case to validate. */
export function fromWorkload(workload: Workload | undefined): unknown {
  if (!workload) return undefined;
  const { labels, annotations, spec } = workload;
  return { labels, annotations, spec: spec && fromSpec(spec) };
}
