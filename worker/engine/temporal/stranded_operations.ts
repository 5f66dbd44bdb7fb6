import { MpcError, operationName } from "@mpc/domain";
import { isGrpcServiceError } from "@temporalio/client";
import type { Payload } from "@temporalio/common";
import { KIND } from "./search_attributes.ts";
import { type TaskQueueBuilds, type TaskQueueOptions, versionText } from "./task_queue.ts";

/** Temporal's own search attributes. */
const VERSION = "TemporalWorkerDeploymentVersion";
const BEHAVIOR = "TemporalWorkflowVersioningBehavior";

/** The gRPC status codes INVALID_ARGUMENT and UNIMPLEMENTED. */
const NOT_KNOWN: readonly number[] = [3, 12];

/** The maximum number of workflows per page. */
const PAGE = 1_000;

/**
 * Operations that have begun and that no worker can continue, because their workflows are pinned to
 * a build that no worker has any more. The error of each is FAILED_PRECONDITION `ENGINE_NO_BUILD`.
 */
export async function strandedOperations(
  { polling }: TaskQueueBuilds,
  { connection, namespace, taskQueue }: Omit<TaskQueueOptions, "version">,
): Promise<ReadonlyMap<string, MpcError>> {
  const there = polling.flatMap((build) => build ? [quoted(versionText(build))] : []);
  const query = [
    `TaskQueue = ${quoted(taskQueue)}`,
    `ExecutionStatus = 'Running'`,
    `${BEHAVIOR} = 'Pinned'`,
    `${KIND.name} IS NOT NULL`,
    ...(there.length > 0 ? [`${VERSION} NOT IN (${there.join(", ")})`] : []),
  ].join(" AND ");
  const executions = await running({ connection, namespace, query });
  return new Map(executions.flatMap(({ execution, searchAttributes }) => {
    const version = textOf(searchAttributes?.indexedFields?.[VERSION]);
    return version === undefined || !execution?.workflowId
      ? []
      : [[operationName(execution.workflowId), noBuild(version, namespace)] as const];
  }));
}

async function running(
  { connection, namespace, query }:
    & Pick<TaskQueueOptions, "connection" | "namespace">
    & { readonly query: string },
) {
  try {
    const request = { namespace, query, pageSize: PAGE };
    return (await connection.workflowService.listWorkflowExecutions(request)).executions;
  } catch (error) {
    // A server without worker versioning has not pinned any workflow.
    if (isGrpcServiceError(error) && NOT_KNOWN.includes(error.code)) return [];
    throw error;
  }
}

function noBuild(version: string, namespace: string): MpcError {
  const [deployment = "", ...rest] = version.split(":");
  const build = rest.join(":");
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_NO_BUILD",
    message:
      `Cannot continue: build '${build}' of deployment '${deployment}' began it, and no worker ` +
      `has that build; start one with its code by 'deno task worker --deployment ${deployment} ` +
      `--build-id ${build}', or, where the current build has the same steps, hand it over by ` +
      `temporal workflow update-options --namespace ${namespace} --query ` +
      `"${VERSION}='${version}' AND ExecutionStatus='Running'" ` +
      `--versioning-override-behavior auto_upgrade --yes`,
    retryable: true,
    metadata: { deployment, build },
  });
}

/** The text of a keyword payload, which is JSON. */
function textOf(payload: Payload | null | undefined): string | undefined {
  if (!payload?.data) return undefined;
  const value: unknown = JSON.parse(new TextDecoder().decode(payload.data));
  return typeof value === "string" ? value : undefined;
}

/** Quotes a text for Temporal's list filters. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
