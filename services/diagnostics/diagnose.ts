import {
  adviceFor,
  type Environment,
  environmentIdOf,
  environmentName,
  idOf,
  isTerminal,
  type Operation,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import { claimLost } from "../clusters/claimed_elsewhere.ts";
import { allOf } from "../resources/read_all.ts";
import type { ServiceDeps } from "../deps.ts";
import type { ForeignObjects } from "../ports/mod.ts";
import { clusterFindings } from "./cluster_findings.ts";
import { SETTLED } from "../resources/is_applied.ts";
import { blockersOf, removalOf } from "../sagas/await_deletion.ts";
import { driftFindings } from "./drift_findings.ts";
import { type Finding, type Invariant, INVARIANTS } from "./findings.ts";
import { isOfStore, storeFinding, unusableStore } from "./store_finding.ts";

export interface Diagnosis {
  readonly checks: readonly string[];
  readonly findings: readonly Finding[];
  /** The objects of other installations on the same clusters. */
  readonly foreign: readonly ForeignObjects[];
}

/** Invariants of a record and its objects: of one resource, one finding says what to repair first. */
const ABOUT_OBJECTS: ReadonlySet<Invariant> = new Set(["RECORD_WITHOUT_OBJECT", "WRONG_REVISION"]);

const FAILED = new Set(["CREATE_FAILED", "DEPLOY_FAILED", "DELETE_FAILED", "UPDATE_FAILED"]);

/** States of operations that have not ended. */
const LIVE = ["PENDING", "RUNNING", "CANCELLING"];

/**
 * Checks the platform's invariants and says how to repair each violation. A running change may look
 * like a violation for a moment, so only findings of two consecutive checks count. A cluster that
 * cannot be read is a finding, and everything else is checked without it. So is a store that cannot
 * be written; if it cannot be read either, nothing else is checked.
 */
export async function diagnose(deps: ServiceDeps, caller: Caller): Promise<Diagnosis> {
  await deps.authorizer.authorize(caller, { permission: "platform.diagnose", resource: null });
  const checks = Object.values(INVARIANTS);
  const unusable = await unusableStore(deps.store, caller.signal);
  try {
    const { findings, foreign } = await lastingFindings(deps, caller);
    return { checks, findings: unusable ? [unusable, ...findings] : findings, foreign };
  } catch (error) {
    if (!isOfStore(error)) throw error;
    return { checks, findings: [unusable ?? storeFinding(error)], foreign: [] };
  }
}

/** The findings of two consecutive checks. */
async function lastingFindings(
  deps: ServiceDeps,
  caller: Caller,
): Promise<Omit<Diagnosis, "checks">> {
  const first = await examine(deps, caller);
  const second = first.findings.length > 0 ? await examine(deps, caller) : first;
  const again = new Set(second.findings.map(keyOf));
  const findings = [
    ...first.findings.filter((finding) => again.has(keyOf(finding))),
    ...await driftFindings(deps, caller, second.comparable),
  ];
  return { findings, foreign: first.foreign };
}

/** Invariants whose messages may differ at the second check. */
const MAY_DIFFER: ReadonlySet<Invariant> = new Set([
  "CLUSTER_CLAIMED_ELSEWHERE",
  "CLUSTER_UNREADABLE",
]);

const keyOf = ({ invariant, subject, message }: Finding) =>
  JSON.stringify([invariant, subject, MAY_DIFFER.has(invariant) ? "" : message]);

interface Examination extends Omit<Diagnosis, "checks"> {
  /** The resources whose objects are to be compared one by one. */
  readonly comparable: readonly (Environment | Workload)[];
}

async function examine(deps: ServiceDeps, caller: Caller): Promise<Examination> {
  const environments = await allOf(deps.store.environments, caller.signal);
  const workloads = await allOf(deps.store.workloads, caller.signal);
  const resources = [...environments, ...workloads];
  const unfinished = await needAttention(deps, caller, resources);
  const targets = new Set(unfinished.map(({ target }) => target));
  const { findings: onCluster, foreign, readable } = await clusterFindings(
    deps,
    caller,
    environments,
    workloads,
  );
  // Finishing an operation that waits for a person repairs its objects.
  const found = onCluster.filter(({ invariant, subject }) =>
    !(ABOUT_OBJECTS.has(invariant) && targets.has(subject))
  );
  const findings = [
    ...accessFindings(deps),
    ...await withoutOperation(deps, caller, resources),
    ...withoutEnvironment(environments, workloads),
    ...found,
    ...unfinished.map(attentionFinding),
    ...await failedDeletions(deps, caller, resources, targets),
    ...await waiting(deps, caller),
    ...await engineFindings(deps, caller),
    ...await lostClaims(deps, caller),
  ];
  const explained = new Set([...targets, ...found.map(({ subject }) => subject)]);
  return { findings, foreign, comparable: readable.filter(({ name }) => !explained.has(name)) };
}

/** A changed access file that cannot be used: what was granted before stays granted. */
function accessFindings({ accessProblem }: ServiceDeps): readonly Finding[] {
  const problem = accessProblem?.() ?? null;
  return problem === null ? [] : [{
    invariant: "ACCESS_FILE_REFUSED",
    subject: "access file",
    message: `The changed file is not used, the old one stays in force: ${problem.message}`,
    remedy: adviceFor(problem).nextStep,
  }];
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
        : `It is ${state}, but no operation is running on it`,
      remedy: resumeCommand(resource),
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

/** Operations that wait for a person, unless their resource has changed since. */
async function needAttention(
  { store }: ServiceDeps,
  { signal }: Caller,
  resources: readonly (Environment | Workload)[],
): Promise<readonly Operation[]> {
  const latest = new Set(resources.map(({ lastOperation }) => lastOperation));
  const page = await store.operations.list({
    filter: { op: "=", path: ["state"], value: "NEEDS_ATTENTION" },
    orderBy: [{ path: ["createTime"], descending: true }],
    limit: 1_000,
    signal,
  });
  return page.items.map(({ value }) => value).filter(({ name }) => latest.has(name));
}

function attentionFinding({ name, residue }: Operation): Finding {
  return {
    invariant: "OPERATION_NEEDS_ATTENTION",
    subject: name,
    message: residue.map(({ object, reason }) => `${object}: ${reason}`).join("; "),
    remedy: `mpctl op retry ${idOf(name)}`,
  };
}

async function lostClaims(
  { store }: ServiceDeps,
  { signal }: Caller,
): Promise<readonly Finding[]> {
  return (await allOf(store.claims, signal)).flatMap(({ name, lost }) =>
    lost
      ? [{
        invariant: "CLUSTER_CLAIMED_ELSEWHERE" as const,
        subject: name,
        message: `Nothing on it is changed: ${claimLost(idOf(name), lost.renewTime)}`,
        remedy: `mpctl doctor --claim ${idOf(name)}`,
      }]
      : []
  );
}

/**
 * Resources that somebody asked to delete and that are partly gone. A workload goes with its
 * environment.
 * @param unfinished the targets of operations that wait for a person
 */
async function failedDeletions(
  { store }: ServiceDeps,
  { signal }: Caller,
  resources: readonly (Environment | Workload)[],
  unfinished: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const failed = resources.filter(({ state, currentOperation }) =>
    state === "DELETE_FAILED" && currentOperation === null
  );
  const told = new Set([...unfinished, ...failed.map(({ name }) => name)]);
  const own = failed.filter(({ name }) => {
    const environment = environmentName(environmentIdOf(name));
    return !unfinished.has(name) && (name === environment || !told.has(environment));
  });
  return await Promise.all(own.map(async (resource) => {
    const { name, lastOperation } = resource;
    const last = lastOperation ? await store.operations.get(lastOperation, { signal }) : undefined;
    const error = last?.value.error;
    return {
      invariant: "DELETION_FAILED" as const,
      subject: name,
      message: error ? error.message : "It is DELETE_FAILED",
      remedy: [removalOf(blockersOf(error)), deleteCommand(resource)].filter(Boolean).join(" && "),
    };
  }));
}

/** One finding for each reason, because an engine that is down makes every operation wait. */
async function waiting({ store }: ServiceDeps, { signal }: Caller): Promise<readonly Finding[]> {
  const page = await store.operations.list({
    filter: {
      op: "and",
      terms: [
        { op: "or", terms: LIVE.map((value) => ({ op: "=", path: ["state"], value })) },
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

/** What keeps the engine from working. That no worker answers is a finding about the cluster. */
async function engineFindings(
  { engine, engineProblems }: ServiceDeps,
  { signal }: Caller,
): Promise<readonly Finding[]> {
  const problems = await engineProblems?.(signal) ?? [];
  return problems.filter(({ reason }) => reason !== "NO_WORKER").map((error) => ({
    invariant: "ENGINE_WORKS",
    subject: engine,
    message: error.message,
    remedy: error.metadata["command"] ?? adviceFor(error).command,
  }));
}

/** The command that continues the change. It deletes only what was never created. */
function resumeCommand(resource: Environment | Workload): string {
  const id = idOf(resource.name);
  if (resource.state === "UPDATING") return `mpctl env update ${id}`;
  return resource.state === "DEPLOYING" && resource.activeRevision > 0
    ? `mpctl workload restart ${id} --env ${environmentIdOf(resource.name)}`
    : deleteCommand(resource);
}

function deleteCommand(resource: Environment | Workload): string {
  return "spec" in resource
    ? `mpctl workload delete ${idOf(resource.name)} --env ${environmentIdOf(resource.name)}`
    : `mpctl env delete ${idOf(resource.name)} --force`;
}
