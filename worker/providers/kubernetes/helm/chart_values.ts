import type { HealthCheck, JsonObject, Volume } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";

/**
 * The values with which the bundled chart (`deploy/charts/workload`) renders what the native
 * renderer does; the release's name is the workload's id, its namespace the environment's.
 */
export function chartValues(
  { uid, labels, spec, revision, restartToken }: WorkloadIntent,
): JsonObject {
  const { image, ports, env, command, args, envFrom, resources, volumes } = spec;
  return {
    ...{ uid, labels, revision, restartToken, image, ports, env, command, args },
    ...(spec.autoscaling === null && { replicas: spec.replicas }),
    envFrom: envFrom.map((source) => whatIsSet(source)),
    resources: whatIsSet(resources),
    ...(spec.healthCheck && { healthCheck: check(spec.healthCheck) }),
    ...(spec.livenessCheck && { livenessCheck: check(spec.livenessCheck) }),
    volumes: volumes.map(volume),
    ...(spec.ingress && { ingress: whatIsSet(spec.ingress) }),
    ...(spec.autoscaling && { autoscaling: spec.autoscaling }),
    ...(spec.disruptionBudget && { disruptionBudget: spec.disruptionBudget }),
    progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
  };
}

const check = ({ path, port, periodMs }: HealthCheck): JsonObject => ({
  path,
  port,
  periodSeconds: Math.ceil(periodMs / 1_000),
});

function volume({ scratch, storage, ...fields }: Volume): JsonObject {
  return {
    ...whatIsSet(fields),
    ...(scratch && { scratch: whatIsSet(scratch) }),
    ...(storage && { storage: whatIsSet(storage) }),
  };
}

/** Helm takes null for the removal of a default. */
const whatIsSet = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== ""),
  );
