import { type FieldChange, type PlannedChange, redactSpec } from "@mpc/domain";
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";

/** The objects of an intent, each as its fields by path. */
export type Rendered = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

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
  const { ports, ...spec } = redactSpec(intent.spec);
  const objects = new Map<string, Record<string, unknown>>([
    [`Deployment/${path}`, {
      "metadata.labels": intent.labels,
      ...Object.fromEntries(
        Object.entries(spec).filter(([key]) => key !== "env")
          .map(([key, value]) => [`spec.${key}`, value]),
      ),
      ...Object.fromEntries(
        // The value decides whether there is a change; what is shown is redacted.
        Object.entries(intent.spec.env).map(([key, value]) => [`spec.env.${key}`, secret(value)]),
      ),
      "spec.ports": ports.map((port) => port.port),
      "spec.restartToken": intent.restartToken,
    }],
  ]);
  if (ports.length > 0) objects.set(`Service/${path}`, { "spec.ports": ports });
  return objects;
}

/** What has to happen so that `before` becomes `after`. */
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
    return "(redacted)";
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
