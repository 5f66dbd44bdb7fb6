import type {
  V1Container,
  V1EnvFromSource,
  V1EnvVar,
  V1Probe,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import type { HealthCheck, WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { envSecretName } from "./env_secret.ts";
import { volumeMounts } from "./pod_volumes.ts";
import type { Wire } from "./wire.ts";

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
      // What breaks in cannot bring its tools; what is to be written is a volume, and so is limited.
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

/** A later source wins over an earlier one: what the spec says itself comes last. */
function variableSources(intent: WorkloadIntent): readonly Wire<V1EnvFromSource>[] {
  const { env, envFrom } = intent.spec;
  const whole = envFrom.filter(({ variable }) => variable === "").map(({ secret, config }) =>
    secret !== null ? { secretRef: { name: secret } } : { configMapRef: { name: config ?? "" } }
  );
  const own = Object.keys(env).length > 0 ? [{ secretRef: { name: envSecretName(intent) } }] : [];
  return [...whole, ...own];
}

/**
 * What the scheduler sets aside. Memory is a limit too, because one that takes more takes it from
 * others; cpu is none: what nobody uses may be used, and throttling is latency.
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

/** Until it is alive for the first time, a program has as long as its rollout; nothing kills it. */
function startupProbe({ path, port }: HealthCheck, progressDeadlineMs: number): Wire<V1Probe> {
  const failureThreshold = Math.ceil(progressDeadlineMs / 1_000);
  return { httpGet: { path, port }, periodSeconds: 1, failureThreshold };
}
