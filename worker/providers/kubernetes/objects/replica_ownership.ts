import { AUTOSCALER } from "../client/kinds.ts";
import {
  type ApplyOptions,
  FIELD_MANAGER,
  type KubeCall,
  type KubeClient,
} from "../client/kube_client.ts";
import { fieldAt, type KubernetesObject, type LiveObject } from "../client/kube_object.ts";

/** Owns `spec.replicas` while it is transferred, so that the field always has an owner. */
const SCALE_MANAGER = "mpc-scale";

/** The field manager of autoscalers, which use the `scale` subresource. */
const AUTOSCALER_MANAGER = "kube-controller-manager";

/** Whether an autoscaler of ours decides how many replicas an object has. */
export interface Scaling {
  /** The minimum of the desired autoscaler; undefined if there is to be none. */
  readonly least: number | undefined;
  /** Whether an autoscaler of ours decides now. Someone else's causes a conflict if we set a number. */
  readonly wasAutoscaled: boolean;
}

/**
 * Applies one object. Transfers the ownership of `spec.replicas` when an autoscaler begins or stops
 * to decide it. Without the transfer, the field would have no owner for a moment and fall back to
 * its default, one pod (Server-Side Apply, "Transferring ownership").
 */
export async function applyWithReplicas(
  client: KubeClient,
  live: LiveObject | undefined,
  object: KubernetesObject,
  { least, wasAutoscaled }: Scaling,
  options: ApplyOptions,
): Promise<LiveObject> {
  const number = replicasOf(object);
  if (number !== undefined && live && wasAutoscaled) {
    return await takeReplicasBack(client, object, number, options);
  }
  if (number !== undefined || least === undefined) return await client.apply(object, options);
  if (live && !isOurs(live)) return await client.apply(object, options);
  return await handReplicasOver(client, live, object, least, options);
}

/** Whether an autoscaler has set the number of replicas, or is about to. */
export function isAutoscaled(live: LiveObject): boolean {
  return replicaManagersOf(live).some(({ manager, subresource }) =>
    manager === SCALE_MANAGER || (manager === AUTOSCALER_MANAGER && subresource === "scale")
  );
}

/**
 * The autoscaler of others that has set the number of replicas of an object; undefined if none has,
 * or if it is gone.
 */
export async function foreignAutoscaler(
  client: KubeClient,
  live: LiveObject | undefined,
  object: KubernetesObject,
  { signal }: KubeCall,
): Promise<LiveObject | undefined> {
  if (!live || replicasOf(object) === undefined || !isAutoscaled(live)) return undefined;
  const { namespace } = live.metadata;
  const { items } = await client.list(AUTOSCALER, { namespace }, { signal });
  return items.find((it) => it.metadata.deletionTimestamp === undefined && isAbout(it, object));
}

/** Whether an autoscaler decides about an object. */
export function isAbout(
  autoscaler: LiveObject,
  { apiVersion, kind, metadata }: LiveObject,
): boolean {
  const target = fieldAt(autoscaler, "spec", "scaleTargetRef");
  return autoscaler.kind === AUTOSCALER.kind && fieldAt(target, "apiVersion") === apiVersion &&
    fieldAt(target, "kind") === kind && fieldAt(target, "name") === metadata.name;
}

/** The same object, without a wish about its replicas. */
export function withoutReplicas(object: KubernetesObject): KubernetesObject {
  const { replicas: _, ...spec } = fieldsOf(object["spec"]);
  return { ...object, spec };
}

async function handReplicasOver(
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
  const known = { ...options, uid: created.metadata.uid, mustCreate: false };
  const scale = { ...known, manager: SCALE_MANAGER, force: true };
  await client.apply(withReplicas(identityOf(object), number), scale);
  return await client.apply(object, known);
}

async function takeReplicasBack(
  client: KubeClient,
  object: KubernetesObject,
  number: number,
  options: ApplyOptions,
): Promise<LiveObject> {
  if (options.dryRun) {
    // The autoscaler still owns the number, so a dry run with a number would be a conflict.
    const planned = await client.apply(withoutReplicas(object), options);
    return { ...planned, spec: { ...fieldsOf(planned["spec"]), replicas: number } };
  }
  const scale = { ...options, manager: SCALE_MANAGER, force: true };
  await client.apply(withReplicas(identityOf(object), number), scale);
  const applied = await client.apply(object, options);
  await client.apply(identityOf(object), scale);
  return applied;
}

const isOurs = (live: LiveObject): boolean =>
  replicaManagersOf(live).some(({ manager }) => manager === FIELD_MANAGER);

/** The managers of `spec.replicas`. */
function replicaManagersOf({ metadata }: LiveObject) {
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
