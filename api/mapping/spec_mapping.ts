import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type HealthCheck as HealthCheckRecord,
  redactSpec,
  type WorkloadSpec as Spec,
} from "@mpc/domain";
import type { HealthCheck, HealthCheckSchema, WorkloadSpec, WorkloadSpecSchema } from "@mpc/proto";
import { fromEnvSource, fromVolume, toEnvSource, toVolume } from "./source_mapping.ts";
import { fromDuration, toStruct } from "./values.ts";

/** A workload's spec in the API's form, without its secrets. */
export function toSpec(record: Spec): MessageInitShape<typeof WorkloadSpecSchema> {
  const spec = redactSpec(record);
  const { ingress, autoscaling, disruptionBudget, chart } = spec;
  return {
    image: spec.image,
    // If autoscaling or a chart decides the number of copies, none was requested.
    ...(!autoscaling && !chart && { replicas: spec.replicas }),
    ports: spec.ports.map((port) => ({ ...port })),
    env: { ...spec.env },
    envFrom: spec.envFrom.map(toEnvSource),
    ...(!chart && {
      resources: { cpu: spec.resources.cpu ?? "", memory: spec.resources.memory ?? "" },
    }),
    ...(spec.healthCheck && { healthCheck: toHealthCheck(spec.healthCheck) }),
    ...(spec.livenessCheck && { livenessCheck: toHealthCheck(spec.livenessCheck) }),
    command: [...spec.command],
    args: [...spec.args],
    volumes: spec.volumes.map(toVolume),
    ...(ingress && {
      ingress: {
        ...ingress,
        tlsSecret: ingress.tlsSecret ?? "",
        ingressClass: ingress.ingressClass ?? "",
      },
    }),
    ...(autoscaling && { autoscaling: { ...autoscaling } }),
    ...(disruptionBudget && { disruptionBudget: { ...disruptionBudget } }),
    ...(chart && { chart: { ...chart, values: toStruct(chart.values) } }),
    progressDeadline: durationFromMs(spec.progressDeadlineMs),
  };
}

/** The fields of a spec, for the use case to validate. */
export function fromSpec(spec: WorkloadSpec): unknown {
  const { image, replicas, ports, env, resources, command, args } = spec;
  const { ingress, autoscaling, disruptionBudget, chart } = spec;
  const progressDeadlineMs = fromDuration(spec.progressDeadline);
  return {
    image,
    ...(replicas !== undefined && { replicas }),
    ports: ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    env,
    envFrom: spec.envFrom.map(fromEnvSource),
    ...(resources && { resources: { cpu: resources.cpu, memory: resources.memory } }),
    ...(spec.healthCheck && { healthCheck: fromHealthCheck(spec.healthCheck) }),
    ...(spec.livenessCheck && { livenessCheck: fromHealthCheck(spec.livenessCheck) }),
    command,
    args,
    volumes: spec.volumes.map(fromVolume),
    ...(ingress && {
      ingress: {
        host: ingress.host,
        path: ingress.path,
        port: ingress.port,
        tlsSecret: ingress.tlsSecret,
        ingressClass: ingress.ingressClass,
      },
    }),
    ...(autoscaling && {
      autoscaling: {
        minReplicas: autoscaling.minReplicas,
        maxReplicas: autoscaling.maxReplicas,
        targetCpuPercent: autoscaling.targetCpuPercent,
      },
    }),
    ...(disruptionBudget && {
      disruptionBudget: { maxUnavailable: disruptionBudget.maxUnavailable },
    }),
    ...(chart && {
      chart: { name: chart.name, version: chart.version, values: chart.values ?? {} },
    }),
    ...(progressDeadlineMs !== null && { progressDeadlineMs }),
  };
}

function toHealthCheck(
  { path, port, periodMs }: HealthCheckRecord,
): MessageInitShape<typeof HealthCheckSchema> {
  return { path, port, period: durationFromMs(periodMs) };
}

function fromHealthCheck({ path, port, period }: HealthCheck): unknown {
  const periodMs = fromDuration(period);
  return { path, port, ...(periodMs !== null && { periodMs }) };
}
