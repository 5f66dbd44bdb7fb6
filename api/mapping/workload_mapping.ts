import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  etagOf,
  redactSpec,
  type Revision as RevisionRecord,
  type Workload as WorkloadRecord,
  type WorkloadSpec as WorkloadSpecRecord,
} from "@mpc/domain";
import {
  type Revision,
  RevisionSchema,
  type Workload,
  WorkloadSchema,
  type WorkloadSpec,
  WorkloadSpecSchema,
  WorkloadState,
} from "@mpc/proto";
import type { Stored } from "@mpc/services";
import { toCondition } from "./common_mapping.ts";
import { fromDuration, toTimestamp } from "./values.ts";

/** A workload as the API shows it, without its secrets. */
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

/** A revision as the API shows it, without its secrets. */
export function toRevision({ value }: Stored<RevisionRecord>, activeRevision: number): Revision {
  return create(RevisionSchema, {
    name: value.name,
    number: value.number,
    spec: toSpec(value.spec),
    operation: value.operation,
    createTime: toTimestamp(value.createTime),
    active: value.number === activeRevision,
  });
}

/** What a deployment asks for, as the use case checks it. */
export function fromWorkload(workload: Workload | undefined): unknown {
  if (!workload) return undefined;
  const { labels, annotations, spec } = workload;
  return { labels, annotations, spec: spec && fromSpec(spec) };
}

function toSpec(record: WorkloadSpecRecord): MessageInitShape<typeof WorkloadSpecSchema> {
  const spec = redactSpec(record);
  return {
    image: spec.image,
    replicas: spec.replicas,
    ports: spec.ports.map((port) => ({ ...port })),
    env: { ...spec.env },
    resources: { cpu: spec.resources.cpu ?? "", memory: spec.resources.memory ?? "" },
    ...(spec.healthCheck && {
      healthCheck: {
        path: spec.healthCheck.path,
        port: spec.healthCheck.port,
        period: durationFromMs(spec.healthCheck.periodMs),
      },
    }),
    command: [...spec.command],
    args: [...spec.args],
    progressDeadline: durationFromMs(spec.progressDeadlineMs),
  };
}

function fromSpec(spec: WorkloadSpec): unknown {
  const { image, replicas, ports, env, resources, healthCheck, command, args } = spec;
  const progressDeadlineMs = fromDuration(spec.progressDeadline);
  const periodMs = fromDuration(healthCheck?.period);
  return {
    image,
    ...(replicas !== undefined && { replicas }),
    ports: ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    env,
    ...(resources && { resources: { cpu: resources.cpu, memory: resources.memory } }),
    ...(healthCheck && {
      healthCheck: {
        path: healthCheck.path,
        port: healthCheck.port,
        ...(periodMs !== null && { periodMs }),
      },
    }),
    command,
    args,
    ...(progressDeadlineMs !== null && { progressDeadlineMs }),
  };
}
