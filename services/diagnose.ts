import {
  type Environment,
  environmentIdOf,
  environmentName,
  idOf,
  isMpcError,
  isTerminal,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "./caller.ts";
import { allOf } from "./all_of.ts";
import type { ServiceDeps } from "./deps.ts";
import type { ClusterObject } from "./ports.ts";
import { unknownObjects } from "./sweep_objects.ts";

/** A break of an invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** The resource or the object. */
  readonly subject: string;
  readonly message: string;
  /** The one command that repairs it. */
  readonly remedy: string;
}

export interface Diagnosis {
  readonly checks: readonly string[];
  readonly findings: readonly Finding[];
}

const CHECKS = {
  RESOURCE_WITHOUT_OPERATION: "every resource that is changing has a live operation",
  WORKLOAD_WITHOUT_ENVIRONMENT: "every workload's environment is there",
  CLUSTER_UNREADABLE: "the cluster can be read",
  OBJECT_WITHOUT_RECORD: "every object on the cluster has a record",
  RECORD_WITHOUT_OBJECT: "every record has its objects on the cluster",
  WRONG_REVISION: "every workload runs the revision that its record names",
  OPERATION_NEEDS_ATTENTION: "no operation waits for a person",
  OPERATION_WAITS: "no operation waits for its engine",
} as const;

export type Invariant = keyof typeof CHECKS;

const SETTLED = new Set(["READY", "DEGRADED", "UPDATE_FAILED"]);
const FAILED = new Set(["CREATE_FAILED", "DEPLOY_FAILED", "DELETE_FAILED", "UPDATE_FAILED"]);

/** Codes of what keeps a cluster from being read, and is no fault of this program. */
const UNREADABLE = [
  "UNAVAILABLE",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "FAILED_PRECONDITION",
] as const;

/** What makes a cluster readable, by reason. */
const READABLE_BY: Readonly<Record<string, string>> = {
  NO_WORKER: "deno task worker",
  CLUSTER_NOT_PERMITTED: "deno task dev:cluster",
  CLUSTER_FORBIDS: "kubectl apply -f deploy/kubernetes/worker_role.yaml",
};

/**
 * Checks the platform's invariants and says how to repair each break. What is under way may look
 * broken for a moment, so only what is seen twice is one. A cluster that cannot be read is a finding,
 * and the records are checked without it.
 */
export async function diagnose(deps: ServiceDeps, caller: Caller): Promise<Diagnosis> {
  const checks = Object.values(CHECKS);
  const findings = await examine(deps, caller);
  if (findings.length === 0) return { checks, findings };
  const again = new Set((await examine(deps, caller)).map(keyOf));
  return { checks, findings: findings.filter((finding) => again.has(keyOf(finding))) };
}

/** What cannot be read may fail in other words at the second look. */
const keyOf = ({ invariant, subject, message }: Finding) =>
  JSON.stringify([invariant, subject, invariant === "CLUSTER_UNREADABLE" ? "" : message]);

async function examine(deps: ServiceDeps, caller: Caller): Promise<readonly Finding[]> {
  const environments = await allOf(deps.store.environments, caller.signal);
  const workloads = await allOf(deps.store.workloads, caller.signal);
  const resources = [...environments, ...workloads];
  return [
    ...await withoutOperation(deps, caller, resources),
    ...withoutEnvironment(environments, workloads),
    ...await unlikeCluster(deps, caller, environments, workloads),
    ...await needsAttention(deps, caller, resources),
    ...await waiting(deps, caller),
  ];
}

/** What cluster and records do not agree on, or why nobody can tell. */
async function unlikeCluster(
  { store, cluster }: ServiceDeps,
  { signal }: Caller,
  environments: readonly Environment[],
  workloads: readonly Workload[],
): Promise<readonly Finding[]> {
  const resources = [...environments, ...workloads];
  let objects: readonly ClusterObject[];
  try {
    objects = await cluster.inventory({ signal });
  } catch (error) {
    if (!isMpcError(error, ...UNREADABLE)) throw error;
    return [{
      invariant: "CLUSTER_UNREADABLE",
      subject: error.metadata["cluster"] ?? "cluster",
      message: error.message,
      remedy: READABLE_BY[error.reason] ?? "kubectl cluster-info",
    }];
  }
  const orphans = await allOf(store.orphans, signal);
  const known = new Set(orphans.map((orphan) => orphan.targetUid));
  return [
    ...withoutRecord(resources, objects.filter((o) => !known.has(o.targetUid))),
    ...withoutObject(resources, objects),
    ...wrongRevision(workloads, objects),
  ];
}

async function withoutOperation(
  { store }: ServiceDeps,
  { signal }: Caller,
  resources: readonly (Environment | Workload)[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const resource of resources) {
    const { name, state, currentOperation } = resource;
    const moving = !SETTLED.has(state) && !FAILED.has(state);
    const holder = currentOperation && await store.operations.get(currentOperation, { signal });
    const live = holder && !isTerminal(holder.value.state);
    if (live || (!moving && currentOperation === null)) continue;
    findings.push({
      invariant: "RESOURCE_WITHOUT_OPERATION",
      subject: name,
      message: currentOperation
        ? `It is ${state} and held by '${currentOperation}', which ${
          holder ? `is ${holder.value.state}` : "is not there"
        }`
        : `It is ${state}, but no operation is at work on it`,
      remedy: deleteCommand(resource),
    });
  }
  return findings;
}

function withoutEnvironment(
  environments: readonly Environment[],
  workloads: readonly Workload[],
): readonly Finding[] {
  const names = new Set(environments.map(({ name }) => name));
  return workloads.filter(({ name }) => !names.has(environmentName(environmentIdOf(name))))
    .map((workload) => ({
      invariant: "WORKLOAD_WITHOUT_ENVIRONMENT",
      subject: workload.name,
      message: `Its environment '${environmentIdOf(workload.name)}' is not there`,
      remedy: deleteCommand(workload),
    }));
}

function withoutRecord(
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
): readonly Finding[] {
  return unknownObjects(resources, objects).map((object) => ({
    invariant: "OBJECT_WITHOUT_RECORD",
    subject: object.object,
    message: `It belongs to '${object.target}', of which there is no record with its uid`,
    remedy: "mpctl doctor --sweep",
  }));
}

function withoutObject(
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
): readonly Finding[] {
  const uids = new Set(objects.map(({ targetUid }) => targetUid));
  return resources.filter((resource) => expectsObjects(resource) && !uids.has(resource.uid))
    .map((resource) => ({
      invariant: "RECORD_WITHOUT_OBJECT",
      subject: resource.name,
      message: `It is ${resource.state}, but the cluster has nothing of it`,
      remedy: "spec" in resource
        ? `mpctl workload restart ${idOf(resource.name)} --env ${environmentIdOf(resource.name)}`
        : `mpctl env update ${idOf(resource.name)}`,
    }));
}

function expectsObjects(resource: Environment | Workload): boolean {
  if (resource.currentOperation !== null) return false;
  return "spec" in resource
    ? resource.activeRevision > 0 && resource.state !== "DELETE_FAILED"
    : SETTLED.has(resource.state);
}

function wrongRevision(
  workloads: readonly Workload[],
  objects: readonly ClusterObject[],
): readonly Finding[] {
  return workloads.flatMap((workload) => {
    if (!expectsObjects(workload)) return [];
    const running = objects.find((o) => o.targetUid === workload.uid && o.revision > 0);
    if (!running || running.revision === workload.activeRevision) return [];
    return [{
      invariant: "WRONG_REVISION" as const,
      subject: workload.name,
      message:
        `The cluster runs revision ${running.revision}, the record names ${workload.activeRevision}`,
      remedy: `mpctl workload restart ${idOf(workload.name)} --env ${
        environmentIdOf(workload.name)
      }`,
    }];
  });
}

async function needsAttention(
  { store }: ServiceDeps,
  { signal }: Caller,
  resources: readonly (Environment | Workload)[],
): Promise<readonly Finding[]> {
  const latest = new Map(resources.map(({ lastOperation, name }) => [lastOperation, name]));
  const page = await store.operations.list({
    filter: { op: "=", path: ["state"], value: "NEEDS_ATTENTION" },
    limit: 1_000,
    signal,
  });
  return page.items.filter(({ value }) => latest.has(value.name)).map(({ value }) => ({
    invariant: "OPERATION_NEEDS_ATTENTION",
    subject: value.name,
    message: value.residue.map(({ object, reason }) => `${object}: ${reason}`).join("; "),
    remedy: `mpctl op retry ${idOf(value.name)}`,
  }));
}

/** One finding for each reason: while an engine is away, everything waits for the same. */
async function waiting({ store }: ServiceDeps, { signal }: Caller): Promise<readonly Finding[]> {
  const page = await store.operations.list({
    filter: {
      op: "and",
      terms: [
        { op: "=", path: ["state"], value: "PENDING" },
        { op: "!=", path: ["waitingReason"], value: "" },
      ],
    },
    limit: 1_000,
    signal,
  });
  const byReason = Map.groupBy(page.items, ({ value }) => value.waitingReason);
  return [...byReason].flatMap(([reason, operations]) => {
    const [first] = operations;
    if (!first) return [];
    const more = operations.length > 1 ? `, and ${operations.length - 1} more with it` : "";
    return [{
      invariant: "OPERATION_WAITS" as const,
      subject: first.value.name,
      message: `It waits${more}: ${reason}`,
      remedy: `mpctl op explain ${idOf(first.value.name)}`,
    }];
  });
}

function deleteCommand(resource: Environment | Workload): string {
  return "spec" in resource
    ? `mpctl workload delete ${idOf(resource.name)} --env ${environmentIdOf(resource.name)}`
    : `mpctl env delete ${idOf(resource.name)} --force`;
}
