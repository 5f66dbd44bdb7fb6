import {
  type Advice,
  adviceFor,
  DRIFTED,
  type Environment,
  environmentIdOf,
  type ErrorCause,
  type ErrorRecord,
  idOf,
  isTerminal,
  type MpcError,
  type Operation,
  type Responsible,
  type StepRecord,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getOperation } from "./read_operations.ts";
import { commandAnew } from "./retry_operation.ts";
import { revertCommand } from "../diagnostics/describe_drift.ts";
import { blockersOf, removalOf } from "../sagas/await_deletion.ts";
import { DEFINITIONS, resourceOf } from "../sagas/mod.ts";
import { obstacleOf } from "../sagas/step_obstacle.ts";
import type { WorkloadDeployInput } from "../sagas/workload_deploy.ts";

export interface ExplainedCause {
  readonly scope: "operation" | "step" | "attempt" | "cause";
  readonly subject: string;
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

export interface Explanation {
  /** One sentence. */
  readonly summary: string;
  /** From the operation down to the nearest cause. */
  readonly causes: readonly ExplainedCause[];
  readonly responsible: Responsible;
  /** One sentence; empty where there is nothing to do. */
  readonly nextStep: string;
  /** Empty where there is nothing to do. */
  readonly nextCommand: string;
}

/**
 * Says why an operation is as it is, who must act, and what to do next.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function explainOperation(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Explanation> {
  const { value: recorded } = await getOperation(deps, caller, name);
  const problem = await engineProblem(deps, caller, recorded);
  const queued = problem ? undefined : await queuedStep(deps, caller, recorded);
  if (queued) return { ...queued, nextCommand: `mpctl op watch ${idOf(recorded.name)}` };
  const operation = problem ? { ...recorded, waitingReason: problem.message } : recorded;
  const resource = await resourceOf(deps.store, operation, caller.signal);
  const step = stepAtFault(operation);
  const attempt = step?.attempts.findLast((attempt) => attempt.error !== null);
  const error = operation.error ?? attempt?.error ?? null;
  const told = summary(operation, step, attempt?.nextRetryTime ?? null);
  const causes = error ? causesOf(operation, step, error) : [];
  const isAboutOne = DEFINITIONS[operation.kind].resource !== null;
  const since = isAboutOne && hasFailed(operation)
    ? changedSince(operation, resource?.value)
    : null;
  if (since) {
    const nextCommand = since.by ? `mpctl op explain ${idOf(since.by)}` : "";
    const summary = `${told}; ${since.what}`;
    return { summary, causes, responsible: "nobody", nextStep: "", nextCommand };
  }
  const drifted = operation.state === "SUCCEEDED" && driftSince(operation, resource?.value);
  if (drifted) return { ...drifted, summary: `${told}; ${drifted.summary}`, causes };
  const obstacle = step && waitOf(operation, step) === "" ? obstacleOf(step) : undefined;
  if (obstacle && !isTerminal(operation.state)) {
    const { responsible, nextStep, command } = obstacle;
    const nextCommand = command || `mpctl op watch ${idOf(operation.name)}`;
    return { summary: told, causes, responsible, nextStep, nextCommand };
  }
  const advice = error && !hasEndedWell(operation) ? decisive(error) : null;
  const responsible = whoActs(operation, advice);
  return {
    summary: told,
    causes,
    responsible,
    nextStep: operation.waitingReason ? "" : advice?.nextStep ?? "",
    nextCommand: problem && commandOf(problem) || nextCommandOf(operation, error, responsible),
  };
}

/** What keeps the engine from continuing an operation whose record gives no reason for waiting. */
async function engineProblem(
  { engine, engineProblems }: ServiceDeps,
  { signal }: Caller,
  operation: Operation,
): Promise<MpcError | undefined> {
  if (isTerminal(operation.state) || operation.waitingReason || operation.engine !== engine) return;
  const problems = await engineProblems?.(signal) ?? [];
  return problems.find(({ reason }) => reason !== "ENGINE_HOUSEKEEPING");
}

/** Says that the next step waits until the engine has a free slot; undefined if it does not. */
async function queuedStep(
  deps: ServiceDeps,
  { signal }: Caller,
  { name, kind, target, state, waitingReason, engine }: Operation,
): Promise<Omit<Explanation, "nextCommand"> | undefined> {
  if (isTerminal(state) || waitingReason || engine !== deps.engine) return undefined;
  const queued = await deps.queuedStep?.(name, signal);
  if (!queued) return undefined;
  const { step, running, waiting } = queued;
  const summary = `${kind} of '${target}' waits for a slot of the engine to run step '${step}' ` +
    `(running: ${running}, waiting: ${waiting})`;
  return { summary, causes: [], responsible: "nobody", nextStep: "" };
}

const commandOf = (error: MpcError) => error.metadata["command"] ?? adviceFor(error).command;

/** How the cluster differs now from what a successful operation applied; undefined if it does not. */
function driftSince(
  { name }: Operation,
  resource: Environment | Workload | undefined,
): Omit<Explanation, "causes"> | undefined {
  const drifted = resource?.conditions.find(({ type }) => type === DRIFTED);
  if (!resource || drifted?.status !== "TRUE" || resource.lastOperation !== name) return undefined;
  return {
    summary: `since then the cluster differs: ${drifted.message}`,
    responsible: "caller",
    nextStep: "Revert what somebody else has changed on the cluster, or deploy it as it is now",
    nextCommand: drifted.remedy ?? revertCommand(resource),
  };
}

const hasFailed = ({ state }: Operation) => state === "FAILED" || state === "NEEDS_ATTENTION";

/** What has become of the resource since the operation ended; null where nothing has. */
function changedSince(
  { name, target }: Operation,
  resource: Environment | Workload | undefined,
): { readonly what: string; readonly by: string | null } | null {
  if (!resource) return { what: `there is no '${target}' any more`, by: null };
  const { currentOperation, lastOperation } = resource;
  const by = currentOperation ?? lastOperation;
  if (by === null || by === name) return null;
  return {
    what: `'${by}' ${currentOperation ? "is running on it now" : "has changed it since"}`,
    by,
  };
}

function stepAtFault(operation: Operation): StepRecord | undefined {
  return operation.steps.find((step) => step.state === "UNDO_FAILED") ??
    operation.steps.find((step) => step.name === operation.error?.metadata["step"]) ??
    operation.steps.find(({ state }) => ["RUNNING", "UNDOING", "FAILED"].includes(state));
}

function summary(
  operation: Operation,
  step: StepRecord | undefined,
  nextRetryTime: number | null,
): string {
  const what = `${operation.kind} of '${operation.target}'`;
  switch (operation.state) {
    case "PENDING":
      return `${what} waits to begin${operation.waitingReason && `: ${operation.waitingReason}`}`;
    case "RUNNING": {
      if (operation.waitingReason) {
        return `${what} waits at step '${step?.name ?? ""}': ${operation.waitingReason}`;
      }
      const last = step?.attempts.at(-1);
      if (step && last?.outageSince !== undefined) {
        const part = last.undo ? `the undo of step '${step.name}'` : `step '${step.name}'`;
        return `${what} waits at ${part}: ${step.progress}`;
      }
      const tries = last?.number ?? 1;
      const retry = nextRetryTime !== null && last?.endTime !== null
        ? `; attempt ${tries} failed, the next begins at ${new Date(nextRetryTime).toISOString()}`
        : tries > 1
        ? ` for the ${ordinal(tries)} time`
        : "";
      const since = tries > 1 && step?.startTime
        ? `, retried ${tries - 1} times since ${new Date(step.startTime).toISOString()}`
        : "";
      const progress = step?.progress ? `: ${step.progress}` : "";
      return `${what} runs step '${step?.name ?? ""}'${retry}${since}${progress}`;
    }
    case "CANCELLING":
      return `${what} is being cancelled: ${operation.cancellation?.reason ?? ""}${
        waitOf(operation, step) && `; it waits: ${waitOf(operation, step)}`
      }`;
    case "CANCELLED":
      return `${what} was cancelled by ${operation.cancellation?.actor}: ${operation.cancellation?.reason}`;
    case "SUCCEEDED":
      return `${what} succeeded`;
    case "FAILED": {
      const undone = operation.steps.filter(({ state }) => state === "UNDONE");
      const names = undone.map(({ name }) => name).reverse().join(", ");
      return `${what} failed at step '${step?.name ?? ""}'${names && `; undone: ${names}`}`;
    }
    case "NEEDS_ATTENTION":
      return step?.state === "UNDO_FAILED"
        ? `${what} ${
          operation.cancellation ? "was cancelled" : "failed"
        }, and the undo of step '${step.name}' failed`
        : `${what} was ended at step '${step?.name ?? ""}', and its steps were not undone`;
  }
}

/** Why an operation does not go on at the moment; empty where it does. */
function waitOf({ waitingReason }: Operation, step: StepRecord | undefined): string {
  if (waitingReason) return waitingReason;
  return step?.attempts.at(-1)?.outageSince === undefined ? "" : step.progress;
}

function causesOf(
  operation: Operation,
  step: StepRecord | undefined,
  error: ErrorRecord,
): readonly ExplainedCause[] {
  const top: ExplainedCause[] = operation.error
    ? [{ scope: "operation", subject: idOf(operation.name), ...plain(operation.error) }]
    : [];
  const undo = step?.attempts.findLast((attempt) => attempt.undo && attempt.error);
  const failedUndo: ExplainedCause[] = step && undo?.error && step.state === "UNDO_FAILED"
    ? [{ scope: "step", subject: `undo of ${step.name}`, ...plain(undo.error) }]
    : [];
  const own: ExplainedCause[] = step && !operation.error
    ? [{ scope: "attempt", subject: step.name, ...plain(error) }]
    : [];
  const below = error.causes.map((cause): ExplainedCause => ({
    scope: "cause",
    subject: error.metadata["pod"] ?? step?.name ?? "",
    ...plain(cause),
  }));
  return [...top, ...failedUndo, ...own, ...below];
}

function plain({ code, reason, message }: ErrorCause) {
  return { code, reason, message };
}

const hasEndedWell = ({ state }: Operation) => state === "SUCCEEDED" || state === "CANCELLED";

function whoActs(operation: Operation, advice: Advice | null): Responsible {
  if (hasEndedWell(operation)) return "nobody";
  if (operation.waitingReason) return "platform";
  return advice?.responsible ?? (operation.state === "PENDING" ? "platform" : "nobody");
}

/** The advice that decides: what the caller can mend by asking for something else comes first. */
function decisive(error: ErrorRecord): Advice {
  const advices = [error, ...error.causes].map(adviceFor);
  return advices.find(({ responsible }) => responsible === "caller") ??
    advices.find(({ responsible }) => responsible === "cluster") ??
    adviceFor(error);
}

function nextCommandOf(
  operation: Operation,
  error: ErrorRecord | null,
  responsible: Responsible,
): string {
  const id = idOf(operation.name);
  const again = commandAnew(operation) ?? `mpctl op retry ${id}`;
  switch (operation.state) {
    case "SUCCEEDED":
    case "CANCELLED":
      return "";
    case "PENDING":
    case "RUNNING":
    case "CANCELLING":
      return `mpctl op watch ${id}`;
    case "NEEDS_ATTENTION":
      return operation.residue[0]?.remedy ?? again;
    case "FAILED":
      if (error?.reason === "DELETE_BLOCKED") {
        return `${removalOf(blockersOf(error))} && ${again}`;
      }
      if (error?.reason === "CLUSTER_CLAIMED_ELSEWHERE") {
        return `mpctl doctor --claim ${error.metadata["cluster"] ?? "CLUSTER"}`;
      }
      return (responsible === "caller" && changeOf(operation, error)) || again;
  }
}

/** What callers ask for in place of what failed by their own words: the catalogue's command. */
function changeOf(
  { name, kind, target, input }: Operation,
  error: ErrorRecord | null,
): string | undefined {
  const own = error && adviceFor(error);
  const command = own?.responsible === "caller" ? own.command : "";
  const environment = environmentIdOf(target);
  const filled = command.replace("{environment}", environment)
    .replace("{workload}", idOf(target)).replace("{operation}", idOf(name));
  // A command about the operation suits every kind.
  if (command.includes("{operation}")) return filled;
  const isUnknownCluster = error?.reason === "UNKNOWN_CLUSTER";
  if (kind === "environment.create") return isUnknownCluster ? filled : undefined;
  // The cluster of an environment that exists can only be given to the workers again.
  if (kind !== "workload.deploy" || isUnknownCluster) return undefined;
  if (filled !== "") return filled;
  const deploy = `mpctl workload deploy ${idOf(target)} --env ${environment}`;
  const { spec } = (input as WorkloadDeployInput).wanted;
  return spec.chart ? `${deploy} --chart-values FILE` : `${deploy} --image IMAGE`;
}

function ordinal(count: number): string {
  const suffix = count % 100 >= 11 && count % 100 <= 13
    ? "th"
    : ({ 1: "st", 2: "nd", 3: "rd" } as Record<number, string>)[count % 10] ?? "th";
  return `${count}${suffix}`;
}
