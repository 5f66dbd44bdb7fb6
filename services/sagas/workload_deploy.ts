import {
  environmentIdOf,
  environmentName,
  idOf,
  isMpcError,
  revisionName,
  type Workload,
  workloadName,
  type WorkloadSpec,
  type WorkloadState,
} from "@mpc/domain";
import type { RolloutProgress, WorkloadIntent, WorkloadRef } from "../ports/mod.ts";
import { assertDeployable, notFound } from "../resources/preconditions.ts";
import type { Settlement, WorkloadDefinition } from "./definition.ts";
import { CLUSTER_CALL, clusterWait, RECORD_CALL } from "./retry_policies.ts";
import { asApplied, moveWorkload, nextGeneration } from "./move_resource.ts";
import type { Step, StepContext } from "./step.ts";
import { obstacleDetail } from "./step_obstacle.ts";

/** The fields of a workload that a deployment sets. */
export type Deployment = {
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
  readonly spec: WorkloadSpec;
  readonly restartToken: string;
};

export type WorkloadDeployInput = {
  /** `deploy`, `rollback`, `scale`, `restart` or `reconcile`: what the caller requested. */
  readonly verb: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts: boolean;
  readonly environment: string;
  readonly workload: string;
  readonly uid: string;
  readonly revision: number;
  readonly wanted: Deployment;
  /** The previous state; null in a first deployment. */
  readonly previous:
    | (Deployment & { readonly state: WorkloadState; readonly revision: number })
    | null;
};

/**
 * Checks the environment again while the workload's lock is held. A deletion of the environment
 * that began earlier may have listed its workloads already; one that begins later finds this one.
 */
async function assertEnvironment(
  { store, signal }: StepContext,
  { environment, workload }: WorkloadDeployInput,
): Promise<void> {
  const action = `deploy '${workload}'`;
  const name = environmentName(environment);
  const found = await store.environments.get(name, { signal });
  if (!found) throw notFound("environment", name, `${action} into`);
  assertDeployable(found.value, action);
}

const applyWorkload: Step<WorkloadDeployInput> = {
  name: "apply_workload",
  onCancel: "undo",
  ...CLUSTER_CALL,
  attemptTimeoutMs: 60_000,
  async run(context, input) {
    await assertEnvironment(context, input);
    const { provider, signal, heartbeat } = context;
    const changes = await provider.applyWorkload(wantedIntent(input), { signal, ...callOf(input) });
    const notes = changes.flatMap(({ note }) => note ?? []);
    if (notes.length > 0) heartbeat(notes.join("; "));
  },
  async undo(context, input) {
    const { made, provider, signal } = context;
    if (made?.length === 0) return;
    const { previous } = input;
    if (previous && previous.revision > 0) {
      await restore(context, input, intentOf(input, previous, previous.revision));
      return;
    }
    await provider.deleteWorkloads([input], { signal });
    await provider.awaitWorkloadGone(input, { signal });
  },
  plan: ({ provider, signal }, input) =>
    provider.applyWorkload(wantedIntent(input), { signal, dryRun: true, ...callOf(input) }),
  residue: (input) => [{
    object: `Deployment/${input.environment}/${input.workload}`,
    reason: input.previous?.revision
      ? `revision ${input.previous.revision} could not be restored, or is not ready`
      : "it could not be removed",
    // A restart applies the record, which has the previous revision.
    remedy: `mpctl workload ${
      input.previous?.revision ? "restart" : "delete"
    } ${input.workload} --env ${input.environment}`,
  }],
};

/**
 * Puts an earlier revision back. Its objects are ready before those of the failed revision are
 * deleted, unless these are in their way.
 */
async function restore(
  { made, provider, signal, heartbeat }: StepContext,
  { forceConflicts }: WorkloadDeployInput,
  intent: WorkloadIntent,
): Promise<void> {
  const call = { signal, forceConflicts, restore: true };
  const onProgress = ({ message, advice }: RolloutProgress) =>
    heartbeat(message, obstacleDetail(advice));
  await provider.applyWorkload(intent, { ...call, ...(made && { only: made }) });
  try {
    await provider.awaitRollout(intent, { ...call, onProgress });
  } catch (error) {
    if (signal.aborted || (isMpcError(error) && error.retryable)) throw error;
    await provider.pruneWorkload(intent, call);
    await provider.awaitRollout(intent, { ...call, onProgress });
    return;
  }
  await provider.pruneWorkload(intent, call);
}

const awaitRollout: Step<WorkloadDeployInput> = {
  name: "await_rollout",
  onCancel: "keep",
  ...clusterWait(3_600_000),
  async run({ provider, signal, heartbeat }, input) {
    const intent = wantedIntent(input);
    const status = await provider.awaitRollout(intent, {
      signal,
      onProgress: ({ message, advice }) => heartbeat(message, obstacleDetail(advice)),
    });
    // A part of this step, so that what is replaced runs exactly until the rollout is complete.
    if (input.previous) await provider.pruneWorkload(intent, { signal, ...callOf(input) });
    return { readyReplicas: status.ready };
  },
  async plan({ provider, signal }, input) {
    if (!input.previous) return [];
    const call = { signal, dryRun: true, ...callOf(input) };
    return await provider.pruneWorkload(wantedIntent(input), call);
  },
};

/** Verbs that deploy the spec that was deployed before. */
const SAME_SPEC: ReadonlySet<string> = new Set(["scale", "restart", "reconcile"]);

function callOf({ verb, forceConflicts, previous }: WorkloadDeployInput) {
  const leftovers = previous !== null && previous.state !== "READY";
  return { forceConflicts, leftovers, sameSpec: SAME_SPEC.has(verb) };
}

const recordRevision: Step<WorkloadDeployInput> = {
  name: "record_revision",
  onCancel: "undo",
  ...RECORD_CALL,
  run: (context, input) => createRevision(context, input),
  // A rollback must not find a revision that is not in effect, and its number may be used again.
  undo: (context, input) => removeRevision(context, input),
  residue: (input, operation) => [{
    object: revisionNameOf(input),
    reason: "it could not be removed from the history",
    remedy: `mpctl op retry ${operation}`,
  }],
};

const revisionNameOf = ({ environment, workload, revision }: WorkloadDeployInput) =>
  revisionName(workloadName(environment, workload), revision);

async function createRevision(context: StepContext, input: WorkloadDeployInput): Promise<void> {
  try {
    await context.store.revisions.create({
      name: revisionNameOf(input),
      number: input.revision,
      spec: input.wanted.spec,
      restartToken: input.wanted.restartToken,
      operation: context.operation,
      createTime: context.now(),
      readyReplicas: observedReady(context) ?? input.wanted.spec.replicas,
    }, { signal: context.signal });
  } catch (error) {
    // An earlier attempt of this step got that far: the revision is this operation's own.
    if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
  }
}

async function removeRevision(
  { store, signal }: StepContext,
  input: WorkloadDeployInput,
): Promise<void> {
  const revision = await store.revisions.get(revisionNameOf(input), { signal });
  if (!revision) return;
  try {
    await store.revisions.delete(revision.value.name, revision.version, { signal });
  } catch (error) {
    if (!isMpcError(error, "NOT_FOUND")) throw error;
  }
}

/**
 * Deploys a workload: applies its objects, waits for the rollout, deletes what it replaces, and keeps
 * the revision.
 */
export const workloadDeploy: WorkloadDefinition<WorkloadDeployInput> = {
  kind: "workload.deploy",
  resource: "workload",
  steps: [applyWorkload, awaitRollout, recordRevision],
  begin(current, input, stamp) {
    const changed: Workload = {
      ...(current ?? blank(input, stamp.now)),
      ...input.wanted,
      generation: nextGeneration(current, input.wanted),
      lastRevision: Math.max(current?.lastRevision ?? 0, input.revision),
    };
    return moveWorkload(changed, "DEPLOYING", stamp);
  },
  settle(current, input, ending, stamp) {
    if (ending === "SUCCEEDED") {
      return {
        ...asApplied(moveWorkload(current, "READY", stamp), stamp),
        activeRevision: input.revision,
        readyReplicas: observedReady(stamp) ?? input.wanted.spec.replicas,
      };
    }
    if (!input.previous) {
      return ending === "CANCELLED" ? null : moveWorkload(current, "DEPLOY_FAILED", stamp);
    }
    const { state, revision, ...fields } = input.previous;
    // A workload that never ran keeps the requested spec, so that it can be retried or examined.
    const reverted = revision > 0 ? { ...current, ...fields } : current;
    const target = state === "DEGRADED" || state === "READY" ? state : "DEPLOY_FAILED";
    return moveWorkload(reverted, ending === "CANCELLED" ? target : "DEPLOY_FAILED", stamp);
  },
  cancelled({ workload, previous }) {
    if (!previous) return `workload '${workload}' is deleted with all its objects`;
    return previous.revision > 0
      ? `workload '${workload}' runs revision ${previous.revision} again`
      : `workload '${workload}' is DEPLOY_FAILED, with nothing on the cluster`;
  },
};

/** The number of ready copies after the rollout, which a chart or an autoscaler may decide. */
function observedReady({ outputs }: Pick<Settlement, "outputs">): number | undefined {
  const ready = outputs[awaitRollout.name]?.["readyReplicas"];
  return typeof ready === "number" ? ready : undefined;
}

function blank(input: WorkloadDeployInput, now: number): Workload {
  return {
    name: workloadName(input.environment, input.workload),
    uid: input.uid,
    generation: 0,
    createTime: now,
    updateTime: now,
    conditions: [],
    currentOperation: null,
    nextOperation: null,
    lastOperation: null,
    state: "DEPLOYING",
    activeRevision: 0,
    lastRevision: 0,
    readyReplicas: 0,
    ...input.wanted,
  };
}

function wantedIntent(input: WorkloadDeployInput): WorkloadIntent {
  return intentOf(input, input.wanted, input.revision);
}

function intentOf(
  input: WorkloadDeployInput,
  deployment: Deployment,
  revision: number,
): WorkloadIntent {
  return {
    environment: input.environment,
    workload: input.workload,
    uid: input.uid,
    labels: deployment.labels,
    spec: deployment.spec,
    revision,
    restartToken: deployment.restartToken,
  };
}

/** The part of a workload's record that was last applied to the cluster. */
export function workloadIntentOf(workload: Workload): WorkloadIntent {
  const { labels, spec, activeRevision: revision, restartToken } = workload;
  return { ...workloadRefOf(workload), labels, spec, revision, restartToken };
}

/** Identifies the objects of a workload's record. */
export function workloadRefOf(workload: Pick<Workload, "name" | "uid">): WorkloadRef {
  return {
    environment: environmentIdOf(workload.name),
    workload: idOf(workload.name),
    uid: workload.uid,
  };
}
