import { MpcError } from "@mpc/domain";
import type { Client } from "@temporalio/client";
import type { TaskQueueOptions } from "./task_queue.ts";
import { keywordsOf, listWorkflows, quoted } from "./list_workflows.ts";

/** A workflow that Temporal does not continue. */
export interface StuckWorkflow {
  readonly workflowId: string;
  readonly type: string;
  /** Why, with the command that leads out. */
  readonly error: MpcError;
}

/** Temporal's own search attributes. */
const PROBLEMS = "TemporalReportedProblems";
const PAUSES = "TemporalPauseInfo";

/** `WorkflowExecutionStatus` in Temporal's API. */
const PAUSED = 8;

/** How many of the last events of a history hold the failure of its workflow task. */
const LAST_EVENTS = 20;

type Queue = Omit<TaskQueueOptions, "version"> & { readonly client: Client };

type Execution = Awaited<ReturnType<typeof listWorkflows>>[number];

/**
 * The workflows of a task queue that Temporal does not continue, although workers poll it: the
 * workers' code fails (for instance a replay that differs), or somebody has paused the workflow or
 * one of its activities. The errors are FAILED_PRECONDITION `ENGINE_WORKFLOW_FAILS` and
 * `ENGINE_PAUSED`.
 */
export async function stuckWorkflows(queue: Queue): Promise<readonly StuckWorkflow[]> {
  const found = await listWorkflows(queue, [
    `TaskQueue = ${quoted(queue.taskQueue)}`,
    `(ExecutionStatus = 'Paused' OR ExecutionStatus = 'Running')`,
    `(ExecutionStatus = 'Paused' OR ${PROBLEMS} IS NOT NULL OR ${PAUSES} IS NOT NULL)`,
  ]);
  // After a deployment, workflows of one type fail alike.
  const failures = new Map<string, Promise<string>>();
  const stuck: StuckWorkflow[] = [];
  for (const execution of found) {
    const workflowId = execution.execution?.workflowId ?? "";
    const type = execution.type?.name ?? "";
    const error = await errorOf(queue, execution, failures);
    if (error) stuck.push({ workflowId, type, error });
  }
  return stuck;
}

async function errorOf(
  queue: Queue,
  execution: Execution,
  failures: Map<string, Promise<string>>,
): Promise<MpcError | undefined> {
  if (execution.status === PAUSED) return pausedWorkflow(queue, execution);
  const problems = keywordsOf(execution.searchAttributes?.indexedFields?.[PROBLEMS]);
  if (problems.length === 0) return await pausedActivity(queue, execution);
  const kind = JSON.stringify([execution.type?.name, ...problems]);
  const failure = failures.get(kind) ?? failureOf(queue, execution);
  failures.set(kind, failure);
  return failingWorkflow(queue, execution, problems, await failure);
}

function pausedWorkflow({ namespace }: Queue, { execution }: Execution): MpcError {
  const command = `temporal workflow unpause --namespace ${namespace} ` +
    `--workflow-id ${execution?.workflowId}`;
  return paused("its workflow is paused in Temporal", command);
}

async function pausedActivity(
  { connection, namespace }: Queue,
  { execution }: Execution,
): Promise<MpcError | undefined> {
  const { pendingActivities } = await connection.workflowService.describeWorkflowExecution({
    namespace,
    execution: execution ?? null,
  });
  const found = pendingActivities?.find(({ paused }) => paused);
  // It was continued in the meantime.
  if (!found) return undefined;
  const { identity, reason } = found.pauseInfo?.manual ?? {};
  const by = identity ? ` by '${identity}'` : "";
  const why = reason ? ` (${reason})` : "";
  const command = `temporal activity unpause --namespace ${namespace} ` +
    `--workflow-id ${execution?.workflowId} --activity-id ${found.activityId}`;
  return paused(`step '${found.activityType?.name}' is paused in Temporal${by}${why}`, command);
}

function paused(what: string, command: string): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_PAUSED",
    message: `Cannot continue: ${what}; continue it by ${command}`,
    retryable: true,
    metadata: { command },
  });
}

function failingWorkflow(
  { namespace }: Queue,
  { execution }: Execution,
  problems: readonly string[],
  failure: string,
): MpcError {
  const command = `temporal workflow reset --namespace ${namespace} ` +
    `--workflow-id ${execution?.workflowId} --type FirstWorkflowTask --reason stuck`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_WORKFLOW_FAILS",
    message:
      `Cannot continue: the workers' code fails in its workflow (${
        failure || problems.join(", ")
      }); start a worker with the code that began it, or start the workflow over, which repeats no ` +
      `step that has ended, by ${command}`,
    retryable: true,
    metadata: { command },
  });
}

/** The message of the last failed workflow task; empty if there is none, as after a timeout. */
async function failureOf(
  { connection, namespace, client }: Queue,
  { execution }: Execution,
): Promise<string> {
  const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
    namespace,
    execution: execution ?? null,
    maximumPageSize: LAST_EVENTS,
  });
  const failure = history?.events
    ?.map(({ workflowTaskFailedEventAttributes: failed }) => failed?.failure)
    .find((failure) => failure);
  if (!failure) return "";
  const { payloadConverter, failureConverter, payloadCodecs } = client.options.loadedDataConverter;
  const { encodedAttributes } = failure;
  if (!encodedAttributes) return failure.message ?? "";
  let [payload] = [encodedAttributes];
  for (const codec of payloadCodecs.toReversed()) {
    [payload = payload] = await codec.decode([payload]);
  }
  const decoded = { ...failure, encodedAttributes: payload };
  return failureConverter.failureToError(decoded, payloadConverter).message;
}
