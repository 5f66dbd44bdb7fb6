import type { HealthCheck, JsonObject, Volume } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";

/**
 * The values with which the bundled chart (`deploy/charts/workload`) renders the same objects as
 * `renderWorkload()`. The release name must be the workload's id, the namespace the environment's id.
 */
export function chartValues(
  { uid, labels, spec, revision, restartToken }: WorkloadIntent,
): JsonObject {
  const { image, ports, env, command, args, envFrom, resources, volumes } = spec;
  return {
    ...{ uid, labels, revision, restartToken, image, ports, env, command, args },
    ...(spec.autoscaling === null && { replicas: spec.replicas }),
    envFrom: envFrom.map((source) => withoutUnset(source)),
    resources: withoutUnset(resources),
    ...(spec.healthCheck && { healthCheck: check(spec.healthCheck) }),
    ...(spec.livenessCheck && { livenessCheck: check(spec.livenessCheck) }),
    volumes: volumes.map(volume),
    ...(spec.ingress && { ingress: withoutUnset(spec.ingress) }),
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
    ...withoutUnset(fields),
    ...(scratch && { scratch: withoutUnset(scratch) }),
    ...(storage && { storage: withoutUnset(storage) }),
  };
}

/** Drops fields that are not set: for helm, null removes the default of a value. */
const withoutUnset = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== ""),
  );
