import {
  type Environment,
  environmentIdOf,
  environmentName,
  idOf,
  isTerminal,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "./caller.ts";
import { allOf } from "./all_of.ts";
import type { ServiceDeps } from "./deps.ts";
import { clusterFindings } from "./cluster_findings.ts";
import { type Finding, INVARIANTS, SETTLED } from "./findings.ts";

export interface Diagnosis {
  readonly checks: readonly string[];
  readonly findings: readonly Finding[];
}

const FAILED = new Set(["CREATE_FAILED", "DEPLOY_FAILED", "DELETE_FAILED", "UPDATE_FAILED"]);

/**
 * Checks the platform's invariants and says how to repair each break. What is under way may look
 * broken for a moment, so only what is seen twice is one. A cluster that cannot be read is a finding,
 * and all else is checked without it.
 */
export async function diagnose(deps: ServiceDeps, caller: Caller): Promise<Diagnosis> {
  const checks = Object.values(INVARIANTS);
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
    ...await clusterFindings(deps, caller, environments, workloads),
    ...await needsAttention(deps, caller, resources),
    ...await waiting(deps, caller),
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
