import { create, type JsonObject } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  AutoscalingSchema,
  type Chart,
  ChartSchema,
  DisruptionBudgetSchema,
  EnvSourceSchema,
  type HealthCheck,
  HealthCheckSchema,
  type Ingress,
  IngressSchema,
  PortSchema,
  ResourcesSchema,
  VolumeSchema,
  type WorkloadSpec,
} from "@mpc/proto";
import { usageError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { parseYaml } from "../manifests/parse_yaml.ts";
import { readText } from "../manifests/read_message.ts";
import type { TypedAutoscaling, TypedPort, TypedSource, TypedVolume } from "./parse_flag.ts";

/** The flags of a workload's spec. */
export interface SpecFlags {
  readonly image?: string | undefined;
  readonly replicas?: number | undefined;
  readonly port?: readonly TypedPort[] | undefined;
  readonly var?: Record<string, string> | undefined;
  readonly varFrom?: readonly TypedSource[] | undefined;
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly healthPath?: string | undefined;
  readonly healthPort?: number | undefined;
  readonly livePath?: string | undefined;
  readonly livePort?: number | undefined;
  readonly command?: readonly string[] | undefined;
  readonly arg?: readonly string[] | undefined;
  readonly volume?: readonly TypedVolume[] | undefined;
  readonly host?: string | undefined;
  readonly hostPath?: string | undefined;
  readonly hostPort?: number | undefined;
  readonly tlsSecret?: string | undefined;
  readonly ingressClass?: string | undefined;
  readonly autoscale?: TypedAutoscaling | undefined;
  readonly maxUnavailable?: number | undefined;
  readonly chart?: string | undefined;
  readonly chartVersion?: string | undefined;
  readonly chartValues?: string | undefined;
  readonly progressDeadline?: number | undefined;
}

/**
 * Applies flags to a spec. Variables and resources are set one by one, lists are replaced.
 * @throws {CliError} usage
 */
export async function specWith(
  host: Host,
  flags: SpecFlags,
  base: WorkloadSpec,
): Promise<WorkloadSpec> {
  const { image, replicas, port, cpu, memory, command, arg, autoscale, maxUnavailable } = flags;
  const firstPort = (port ?? base.ports)[0]?.port ?? 0;
  const healthCheck = checkOf(base.healthCheck, flags.healthPath, flags.healthPort, firstPort);
  const livenessCheck = checkOf(base.livenessCheck, flags.livePath, flags.livePort, firstPort);
  const ingress = ingressOf(base.ingress, flags);
  const chart = await chartOf(base.chart, host, flags);
  return {
    ...base,
    ...(image !== undefined && { image }),
    // The autoscaler replaces a fixed number.
    ...(autoscale && { replicas: undefined }),
    ...(replicas !== undefined && { replicas }),
    ...(port && { ports: port.map((typed) => create(PortSchema, typed)) }),
    env: { ...base.env, ...flags.var },
    ...(flags.varFrom && { envFrom: flags.varFrom.map((typed) => create(EnvSourceSchema, typed)) }),
    ...((cpu ?? memory) !== undefined && {
      resources: create(ResourcesSchema, {
        cpu: cpu ?? base.resources?.cpu ?? "",
        memory: memory ?? base.resources?.memory ?? "",
      }),
    }),
    ...(healthCheck && { healthCheck }),
    ...(livenessCheck && { livenessCheck }),
    ...(command && { command: [...command] }),
    ...(arg && { args: [...arg] }),
    ...(flags.volume && { volumes: flags.volume.map((typed) => create(VolumeSchema, typed)) }),
    ...(ingress && { ingress }),
    ...(autoscale && {
      autoscaling: create(AutoscalingSchema, {
        ...autoscale,
        targetCpuPercent: autoscale.targetCpuPercent || (base.autoscaling?.targetCpuPercent ?? 0),
      }),
    }),
    ...(maxUnavailable !== undefined &&
      { disruptionBudget: create(DisruptionBudgetSchema, { maxUnavailable }) }),
    ...(chart && { chart }),
    ...(flags.progressDeadline && { progressDeadline: durationFromMs(flags.progressDeadline) }),
  };
}

function checkOf(
  base: HealthCheck | undefined,
  path: string | undefined,
  port: number | undefined,
  firstPort: number,
): HealthCheck | undefined {
  if (path === undefined && port === undefined) return undefined;
  return create(HealthCheckSchema, {
    ...base,
    path: path ?? base?.path ?? "/",
    port: port ?? base?.port ?? firstPort,
  });
}

function ingressOf(base: Ingress | undefined, flags: SpecFlags): Ingress | undefined {
  const { host = base?.host, hostPath, hostPort, tlsSecret, ingressClass } = flags;
  if ((flags.host ?? hostPath ?? hostPort ?? tlsSecret ?? ingressClass) === undefined) {
    return undefined;
  }
  if (host === undefined) {
    throw usageError("Cannot reach a workload from outside without a name: add --host NAME");
  }
  return create(IngressSchema, {
    host,
    path: hostPath ?? base?.path ?? "",
    port: hostPort ?? base?.port ?? 0,
    tlsSecret: tlsSecret ?? base?.tlsSecret ?? "",
    ingressClass: ingressClass ?? base?.ingressClass ?? "",
  });
}

/** Another chart has other versions and values. */
async function chartOf(
  current: Chart | undefined,
  host: Host,
  flags: SpecFlags,
): Promise<Chart | undefined> {
  const { chartVersion, chartValues } = flags;
  if ((flags.chart ?? chartVersion ?? chartValues) === undefined) return undefined;
  const name = flags.chart ?? current?.name;
  if (name === undefined) {
    throw usageError("Cannot take a chart's version or values without it: add --chart NAME");
  }
  const base = name === current?.name ? current : undefined;
  const version = chartVersion ?? base?.version;
  if (version === undefined) {
    throw usageError(
      `Cannot take chart '${name}' without its version: add --chart-version VERSION`,
    );
  }
  const values = chartValues === undefined
    ? base?.values ?? {}
    : await readValues(host, chartValues);
  return create(ChartSchema, { name, version, values });
}

async function readValues(host: Host, path: string): Promise<JsonObject> {
  const [document, ...more] = parseYaml(await readText(host, path), path);
  const values = document?.value;
  if (more.length === 0 && isObject(values)) return values;
  throw usageError(`Cannot read '${path}': it must hold one object of values`);
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
