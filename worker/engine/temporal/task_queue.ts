import type { WorkerDeploymentVersion } from "@temporalio/common";
import type { NativeConnection } from "@temporalio/worker";

export interface TaskQueueOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The build of this worker, which polls or is about to; null for a worker without a build. */
  readonly version: WorkerDeploymentVersion | null;
}

/** The builds of the workers that poll a task queue, and the build that begins new operations. */
export interface TaskQueueBuilds {
  readonly current: WorkerDeploymentVersion | null;
  readonly polling: readonly (WorkerDeploymentVersion | null)[];
}

/** A poll takes at most a minute, so a worker that has been silent for longer is gone. */
const POLLED_S = 90;

/** `TaskQueueType` and `WorkerVersioningMode` in Temporal's API. */
const WORKFLOW = 1;
const VERSIONED = 2;

/** Asks Temporal which workers poll a task queue (Temporal, "Worker Versioning"). */
export async function taskQueueBuilds(options: TaskQueueOptions): Promise<TaskQueueBuilds> {
  const { connection, namespace, taskQueue, version } = options;
  const { pollers, versioningInfo } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW,
  });
  const oldest = Date.now() / 1_000 - POLLED_S;
  const heard = pollers.filter(({ lastAccessTime }) =>
    Number(lastAccessTime?.seconds ?? 0) >= oldest
  );
  return {
    current: versionOf(versioningInfo?.currentDeploymentVersion),
    polling: [
      version,
      ...heard.map(({ deploymentOptions }) =>
        deploymentOptions?.workerVersioningMode === VERSIONED ? versionOf(deploymentOptions) : null
      ),
    ],
  };
}

/** The format of a build in Temporal's search attributes. */
export const versionText = ({ deploymentName, buildId }: WorkerDeploymentVersion): string =>
  `${deploymentName}:${buildId}`;

function versionOf(
  version:
    | { readonly deploymentName?: string | null; readonly buildId?: string | null }
    | null
    | undefined,
): WorkerDeploymentVersion | null {
  return version
    ? { deploymentName: version.deploymentName ?? "", buildId: version.buildId ?? "" }
    : null;
}
