import { MpcError } from "@mpc/domain";
import { keywordsOf, listWorkflows, quoted } from "./list_workflows.ts";
import { KIND } from "./search_attributes.ts";
import { operationOf, withoutInstallation } from "./workflow_id.ts";
import { type TaskQueueBuilds, type TaskQueueOptions, versionText } from "./task_queue.ts";

/** Temporal's own search attributes. */
const VERSION = "TemporalWorkerDeploymentVersion";
const BEHAVIOR = "TemporalWorkflowVersioningBehavior";

/**
 * Operations that have begun and that no worker can continue, because their workflows are pinned to
 * a build that no worker has any more. The error of each is FAILED_PRECONDITION `ENGINE_NO_BUILD`.
 */
export async function strandedOperations(
  { polling }: TaskQueueBuilds,
  { connection, namespace, taskQueue, installation }: Omit<TaskQueueOptions, "version">,
): Promise<ReadonlyMap<string, MpcError>> {
  const there = polling.flatMap((build) => build ? [quoted(versionText(build))] : []);
  const executions = await listWorkflows({ connection, namespace }, [
    `TaskQueue = ${quoted(taskQueue)}`,
    `ExecutionStatus = 'Running'`,
    `${BEHAVIOR} = 'Pinned'`,
    `${KIND.name} IS NOT NULL`,
    ...(there.length > 0 ? [`${VERSION} NOT IN (${there.join(", ")})`] : []),
  ]);
  return new Map(executions.flatMap(({ execution, searchAttributes }) => {
    const [version] = keywordsOf(searchAttributes?.indexedFields?.[VERSION]);
    return version === undefined || !execution?.workflowId
      ? []
      : [[operationOf(execution.workflowId), noBuild(version, namespace, installation)] as const];
  }));
}

function noBuild(version: string, namespace: string, installation: string): MpcError {
  const [name = "", ...rest] = version.split(":");
  const deployment = withoutInstallation(name, installation);
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
