import type {
  V1Container,
  V1EnvFromSource,
  V1EnvVar,
  V1Probe,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import type { HealthCheck, WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { Wire } from "../client/wire_format.ts";
import { envSecretName } from "./env_secret.ts";
import { volumeMounts } from "./volumes.ts";

/** The container of a workload's pods. */
export function container(intent: WorkloadIntent): Wire<V1Container> {
  const { workload, spec } = intent;
  const { image, command, args, ports, healthCheck, livenessCheck } = spec;
  const env = variables(spec);
  const envFrom = variableSources(intent);
  return {
    name: workload,
    image,
    ...(command.length > 0 && { command }),
    ...(args.length > 0 && { args }),
    ...(ports.length > 0 && {
      ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
    }),
    ...(env.length > 0 && { env }),
    ...(envFrom.length > 0 && { envFrom }),
    resources: resources(spec),
    ...(healthCheck && { readinessProbe: probe(healthCheck) }),
    ...(livenessCheck && {
      livenessProbe: probe(livenessCheck),
      startupProbe: startupProbe(livenessCheck, spec.progressDeadlineMs),
    }),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      // An intruder cannot install tools, and everything that a program writes has a size limit.
      readOnlyRootFilesystem: true,
    },
    volumeMounts: volumeMounts(spec),
  };
}

function variables({ envFrom }: WorkloadSpec): readonly Wire<V1EnvVar>[] {
  return envFrom.filter(({ variable }) => variable !== "").map(({ variable, key, ...from }) => ({
    name: variable,
    valueFrom: from.secret !== null
      ? { secretKeyRef: { name: from.secret, key } }
      : { configMapKeyRef: { name: from.config ?? "", key } },
  }));
}

/** A later source overrides an earlier one, so the variables of the spec itself come last. */
function variableSources(intent: WorkloadIntent): readonly Wire<V1EnvFromSource>[] {
  const { env, envFrom } = intent.spec;
  const whole = envFrom.filter(({ variable }) => variable === "").map(({ secret, config }) =>
    secret !== null ? { secretRef: { name: secret } } : { configMapRef: { name: config ?? "" } }
  );
  const own = Object.keys(env).length > 0 ? [{ secretRef: { name: envSecretName(intent) } }] : [];
  return [...whole, ...own];
}

/**
 * What the scheduler reserves. Memory is also a limit, because a container that uses more takes it
 * from others. Cpu has no limit: idle cpu may be used, and throttling would add latency.
 */
function resources({ resources: { cpu, memory } }: WorkloadSpec): Wire<V1ResourceRequirements> {
  const requests = { ...(cpu !== null && { cpu }), ...(memory !== null && { memory }) };
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(memory !== null && { limits: { memory } }),
  };
}

function probe({ path, port, periodMs }: HealthCheck): Wire<V1Probe> {
  return { httpGet: { path, port }, periodSeconds: Math.ceil(periodMs / 1_000) };
}

/** A program may take as long to start as its rollout may; until then the kubelet does not kill it. */
function startupProbe({ path, port }: HealthCheck, progressDeadlineMs: number): Wire<V1Probe> {
  const failureThreshold = Math.ceil(progressDeadlineMs / 1_000);
  return { httpGet: { path, port }, periodSeconds: 1, failureThreshold };
}
