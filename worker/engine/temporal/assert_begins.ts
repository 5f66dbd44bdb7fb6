import { MpcError } from "@mpc/domain";
import type { WorkerDeploymentVersion } from "@temporalio/common";
import type { TaskQueueBuilds, TaskQueueOptions } from "./task_queue.ts";

/**
 * Asserts that new operations will begin: Temporal gives them to the current build of a deployment,
 * or to workers without a build, and keeps them waiting if there is no such worker.
 * @throws {MpcError} FAILED_PRECONDITION `ENGINE_NO_WORKER`
 */
export function assertBegins(
  { current, polling }: TaskQueueBuilds,
  { namespace, taskQueue, version }: TaskQueueOptions,
): void {
  if (polling.some((build) => textOf(build) === textOf(current))) return;
  const deployment = version?.deploymentName ?? current?.deploymentName;
  const build = version ? `--build-id ${version.buildId}` : "--unversioned";
  const command = `temporal worker deployment set-current-version --namespace ${namespace} ` +
    `--deployment-name ${deployment} ${build}`;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_NO_WORKER",
    message: `Cannot begin operations: Temporal hands new ones on task queue '${taskQueue}' to ` +
      `${textOf(current)}, and there are none; to have them begun by ${textOf(version)}, run ` +
      `'${command}'`,
    retryable: true,
    metadata: { taskQueue, command },
  });
}

/** How messages name the workers of a version. */
function textOf(version: WorkerDeploymentVersion | null): string {
  if (!version) return "workers without a build";
  return `workers with build '${version.buildId}' of deployment '${version.deploymentName}'`;
}
