import type { ApplyOptions, KubeClient } from "../client/kube_client.ts";
import { FIELD_MANAGER } from "../client/kube_client.ts";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import type { KubernetesObject } from "../render/mod.ts";

/** Holds the number of pods between us and an autoscaler, so that it is never nobody's. */
const SCALE_MANAGER = "mpc-scale";

/** Who sets the number of pods for an autoscaler, by the subresource for that. */
const AUTOSCALER_MANAGER = "kube-controller-manager";

/** Who decides how many pods an object has. */
export interface Scaling {
  /** How many an autoscaler of ours keeps; undefined where none is to decide. */
  readonly least: number | undefined;
  /** Whether one of ours decides up to now; another's is a conflict when we say a number. */
  readonly wasAutoscaled: boolean;
}

/**
 * Applies one object. Where an autoscaler is to decide how many pods run, or no longer is, the
 * number goes from hand to hand: a field that the last manager no longer applies falls back to its
 * default, and a rollout would begin with one pod ("Transferring ownership", Server-Side Apply).
 */
export async function applyScaled(
  client: KubeClient,
  live: LiveObject | undefined,
  object: KubernetesObject,
  { least, wasAutoscaled }: Scaling,
  options: ApplyOptions,
): Promise<LiveObject> {
  const number = replicasOf(object);
  if (number !== undefined && live && wasAutoscaled) {
    return await takeBack(client, object, number, options);
  }
  if (number !== undefined || least === undefined) return await client.apply(object, options);
  if (live && !isOurs(live)) return await client.apply(object, options);
  return await handOver(client, live, object, least, options);
}

/** Whether an autoscaler has set the number of pods, or is to. */
export function isAutoscaled(live: LiveObject): boolean {
  return managersOf(live).some(({ manager, subresource }) =>
    manager === SCALE_MANAGER || (manager === AUTOSCALER_MANAGER && subresource === "scale")
  );
}

async function handOver(
  client: KubeClient,
  live: LiveObject | undefined,
  object: KubernetesObject,
  least: number,
  options: ApplyOptions,
): Promise<LiveObject> {
  const number = Math.max(least, live ? replicasOf(live) ?? 0 : 0);
  const held = withReplicas(object, number);
  if (options.dryRun) return await client.apply(held, options);
  const created = live ?? await client.apply(held, options);
  const scale = { ...options, uid: created.metadata.uid, manager: SCALE_MANAGER, force: true };
  await client.apply(withReplicas(identityOf(object), number), scale);
  return await client.apply(object, { ...options, uid: created.metadata.uid });
}

async function takeBack(
  client: KubeClient,
  object: KubernetesObject,
  number: number,
  options: ApplyOptions,
): Promise<LiveObject> {
  if (options.dryRun) {
    const { spec, ...rest } = object;
    const { replicas: _, ...others } = fieldsOf(spec);
    // The number is the autoscaler's until it is taken: asking for it would be a conflict.
    const planned = await client.apply({ ...rest, spec: others }, options);
    return { ...planned, spec: { ...fieldsOf(planned["spec"]), replicas: number } };
  }
  const scale = { ...options, manager: SCALE_MANAGER, force: true };
  await client.apply(withReplicas(identityOf(object), number), scale);
  const applied = await client.apply(object, options);
  await client.apply(identityOf(object), scale);
  return applied;
}

const isOurs = (live: LiveObject): boolean =>
  managersOf(live).some(({ manager }) => manager === FIELD_MANAGER);

/** Who manages the number of pods. */
function managersOf({ metadata }: LiveObject) {
  return (metadata.managedFields ?? []).filter(({ fieldsV1 }) =>
    fieldAt(fieldsV1, "f:spec", "f:replicas") !== undefined
  );
}

function replicasOf(object: LiveObject | KubernetesObject): number | undefined {
  const number = fieldAt(object, "spec", "replicas");
  return typeof number === "number" ? number : undefined;
}

const identityOf = (
  { apiVersion, kind, metadata: { name, namespace } }: KubernetesObject,
): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }), labels: {} },
});

const withReplicas = (object: KubernetesObject, replicas: number): KubernetesObject => ({
  ...object,
  spec: { ...fieldsOf(object["spec"]), replicas },
});

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};
