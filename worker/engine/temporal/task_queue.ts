import type { WorkerDeploymentVersion } from "@temporalio/common";
import type { NativeConnection } from "@temporalio/worker";

export interface TaskQueueOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The id of this control plane, which names of task queues and deployments end with. */
  readonly installation: string;
  /** The build of this worker, which polls or is about to; null for a worker without a build. */
  readonly version: WorkerDeploymentVersion | null;
}

/** The builds whose workers poll a task queue, and the one that begins new operations; null is none. */
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
  return {
    current: versionOf(versioningInfo?.currentDeploymentVersion),
    polling: [
      version,
      ...livePollers(pollers).map(({ deploymentOptions }) =>
        deploymentOptions?.workerVersioningMode === VERSIONED ? versionOf(deploymentOptions) : null
      ),
    ],
  };
}

/** The workers that poll a task queue for workflows, or have done so a while ago. */
export async function pollersOf(
  { connection, namespace, taskQueue }: Omit<TaskQueueOptions, "version">,
): Promise<readonly Poller[]> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW,
  });
  return pollers;
}

interface Poller {
  readonly lastAccessTime?: { readonly seconds?: { toString(): string } | null } | null;
}

/**
 * The pollers that are still there. Ages count from the latest poll, so only Temporal's clock is
 * asked: by ours, one that is ahead would declare every other worker gone.
 * @param others pollers of other task queues, whose polls count as the latest one, too
 */
export function livePollers<P extends Poller>(
  pollers: readonly P[],
  others: readonly Poller[] = [],
): readonly P[] {
  const latest = Math.max(...[...pollers, ...others].map(secondsOf));
  return pollers.filter((poller) => secondsOf(poller) >= latest - POLLED_S);
}

const secondsOf = ({ lastAccessTime }: Poller) => Number(lastAccessTime?.seconds ?? 0);

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
