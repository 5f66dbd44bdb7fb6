import { createHash } from "node:crypto";
import {
  DEFAULT_CLUSTER,
  environmentName,
  type FieldChange,
  type PlannedChange,
  REDACTED,
  workloadName,
} from "@mpc/domain";
import type { ClusterObject, NamespaceIntent, WorkloadIntent } from "@mpc/services";
import type { SimulatedObject, SimulatedWorkload } from "./simulated_objects.ts";

/** The objects of an intent: the fields of each object by path. */
export type Rendered = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export const NOTHING: Rendered = new Map();

export function renderNamespace({ environment, labels }: NamespaceIntent): Rendered {
  return new Map([[`Namespace/${environment}`, { "metadata.labels": labels }]]);
}

export function renderPolicies({ environment, quota }: NamespaceIntent): Rendered {
  return new Map<string, Record<string, unknown>>([
    [`ResourceQuota/${environment}/quota`, {
      "spec.hard.workloads": quota.workloads,
      "spec.hard.cpu": quota.cpu,
      "spec.hard.memory": quota.memory,
    }],
    [`LimitRange/${environment}/limits`, { "spec.type": "Container" }],
    [`NetworkPolicy/${environment}/isolation`, { "spec.from": "same environment" }],
  ]);
}

export function renderWorkload(intent: WorkloadIntent): Rendered {
  const path = `${intent.environment}/${intent.workload}`;
  const { spec } = intent;
  const { env, ports, volumes, ingress, autoscaling, disruptionBudget } = spec;
  const objects = new Map<string, Record<string, unknown>>();
  const add = (object: string, fields: Record<string, unknown>) => objects.set(object, fields);
  if (Object.keys(env).length > 0) {
    // Values are compared, but shown redacted.
    const entries = Object.entries(env).map(([key, value]) => [`data.${key}`, secret(value)]);
    add(`Secret/${path}.env`, Object.fromEntries(entries));
  }
  for (const { name, storage } of volumes) {
    if (storage) add(`PersistentVolumeClaim/${path}.${name}`, prefixed(storage));
  }
  add(`Deployment/${path}`, deploymentFields(intent));
  if (ports.length > 0) add(`Service/${path}`, { "spec.ports": ports });
  if (ingress) add(`Ingress/${path}`, prefixed(ingress));
  if (autoscaling) add(`HorizontalPodAutoscaler/${path}`, prefixed(autoscaling));
  if (disruptionBudget) add(`PodDisruptionBudget/${path}`, prefixed(disruptionBudget));
  return objects;
}

/** The objects of a workload that exist: of its revision, and of earlier ones until they are pruned. */
export function existingObjects({ intent, replaced = [] }: SimulatedWorkload): Rendered {
  return new Map([...replaced.map((object) => [object, {}] as const), ...renderWorkload(intent)]);
}

/** Whether an update keeps an object that it no longer has, so that a rollback finds its data. */
export const isKept = (object: string): boolean => object.startsWith("PersistentVolumeClaim/");

/** The rendered objects of a namespace or a workload, as the inventory lists them. */
export function clusterObjects(object: SimulatedObject): readonly ClusterObject[] {
  const cluster = DEFAULT_CLUSTER;
  const { environment, uid } = object.intent;
  if (object.kind === "namespace") {
    const target = environmentName(environment);
    const rendered = [
      ...renderNamespace(object.intent),
      ...(object.policies ? renderPolicies(object.policies) : []),
    ];
    return rendered.map(([name, fields]) => ({
      cluster,
      object: name,
      target,
      targetUid: uid,
      revision: 0,
      version: versionOf(uid, fields),
    }));
  }
  const { workload, revision } = object.intent;
  const target = workloadName(environment, workload);
  return [...existingObjects(object)].map(([name, fields]) => ({
    cluster,
    object: name,
    target,
    targetUid: uid,
    revision: name.startsWith("Deployment/") ? revision : 0,
    version: versionOf(uid, fields),
  }));
}

const versionOf = (uid: string, fields: object): string =>
  createHash("sha256").update(JSON.stringify([uid, fields])).digest("hex");

function deploymentFields({ labels, spec, restartToken }: WorkloadIntent) {
  const { image, replicas, autoscaling, ports, envFrom, volumes, resources } = spec;
  const { healthCheck, livenessCheck, command, args, progressDeadlineMs } = spec;
  return {
    "metadata.labels": labels,
    ...prefixed({ image, ...(!autoscaling && { replicas }), envFrom, volumes, resources }),
    ...prefixed({ healthCheck, livenessCheck, command, args, progressDeadlineMs, restartToken }),
    "spec.ports": ports.map(({ port }) => port),
  };
}

const prefixed = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [`spec.${key}`, value]));

/** The changes from `before` to `after`. */
export function diff(before: Rendered, after: Rendered): readonly PlannedChange[] {
  const changes: PlannedChange[] = [];
  for (const [object, fields] of after) {
    const old = before.get(object);
    if (!old) {
      changes.push({ action: "CREATE", object, fields: [] });
      continue;
    }
    const changed = diffFields(old, fields);
    if (changed.length > 0) changes.push({ action: "UPDATE", object, fields: changed });
  }
  for (const object of before.keys()) {
    if (!after.has(object)) changes.push({ action: "DELETE", object, fields: [] });
  }
  return changes;
}

class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  equals(other: unknown): boolean {
    return other instanceof Secret && other.#value === this.#value;
  }

  toJSON(): string {
    return REDACTED;
  }
}

const secret = (value: string): Secret => new Secret(value);

function diffFields(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly FieldChange[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => !same(before[path], after[path])).map((path) => ({
    path,
    before: json(before[path]),
    after: json(after[path]),
  }));
}

function same(a: unknown, b: unknown): boolean {
  return a instanceof Secret ? a.equals(b) : JSON.stringify(a) === JSON.stringify(b);
}

const json = (value: unknown): string => value === undefined ? "" : JSON.stringify(value);
