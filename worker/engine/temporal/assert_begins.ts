import { MpcError } from "@mpc/domain";
import type { WorkerDeploymentVersion } from "@temporalio/common";
import type { NativeConnection } from "@temporalio/worker";

export interface AssertBeginsOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The build of the worker that asks, which polls or is about to; null where it has none. */
  readonly version: WorkerDeploymentVersion | null;
}

/** A poll takes a minute at most: who has not been heard of for longer is gone. */
const POLLED_S = 90;

/** `TaskQueueType` and `WorkerVersioningMode` in Temporal's API. */
const WORKFLOW = 1;
const VERSIONED = 2;

/**
 * Makes sure that somebody begins new operations: Temporal hands them to the current build of a
 * deployment, or to workers without one, and lets them wait where there is no such worker
 * (Temporal's "Worker Versioning").
 * @throws {MpcError} FAILED_PRECONDITION `ENGINE_NO_WORKER`; errors of the call as they are
 */
export async function assertBegins(options: AssertBeginsOptions): Promise<void> {
  const { connection, namespace, taskQueue, version } = options;
  const { pollers, versioningInfo } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW,
  });
  const current = textOf(versioningInfo?.currentDeploymentVersion);
  if (textOf(version) === current) return;
  const oldest = Date.now() / 1_000 - POLLED_S;
  const begins = pollers.some(({ deploymentOptions, lastAccessTime }) => {
    const versioned = deploymentOptions?.workerVersioningMode === VERSIONED;
    return Number(lastAccessTime?.seconds ?? 0) >= oldest &&
      textOf(versioned ? deploymentOptions : null) === current;
  });
  if (begins) return;
  const deployment = version?.deploymentName ??
    versioningInfo?.currentDeploymentVersion?.deploymentName;
  const build = version ? `--build-id ${version.buildId}` : "--unversioned";
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_NO_WORKER",
    message: `Cannot begin operations: Temporal hands new ones on task queue '${taskQueue}' to ` +
      `${current}, and there are none; to have them begun by ${textOf(version)}, run ` +
      `'temporal worker deployment set-current-version --namespace ${namespace} ` +
      `--deployment-name ${deployment} ${build}'`,
    retryable: true,
    metadata: { taskQueue },
  });
}

interface Version {
  readonly deploymentName?: string | null;
  readonly buildId?: string | null;
}

/** What workers of a version are called, and told apart by. */
function textOf(version: Version | null | undefined): string {
  if (!version) return "workers without a build";
  return `workers with build '${version.buildId}' of deployment '${version.deploymentName}'`;
}
