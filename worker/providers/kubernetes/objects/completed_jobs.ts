/** Jobs that have run: an undo does not run them again. */
import { isMpcError } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import type { ApplyOptions, KubeClient } from "../client/kube_client.ts";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import type { KubernetesObject } from "../render/mod.ts";
import { isJob, isJobDone } from "../rollout/job_status.ts";

/**
 * Whether an object is a Job that has run and is not created again: the restored revision was ready,
 * so its Jobs had completed, and the cluster deletes a completed Job with a time to live.
 */
export function isNotRunAgain(
  object: KubernetesObject,
  { restore = false, sameSpec = false }: ApplyCall,
): boolean {
  if (!isJob(object) || isSuspended(object)) return false;
  return restore || (sameSpec && removesItself(object));
}

/**
 * Whether a finished Job is deleted without anybody's request: by Kubernetes ("TTL-after-finished"),
 * or as a chart's hook (Helm, "Hook deletion policies"), which whoever cleans up hooks then deletes.
 */
export function removesItself(object: LiveObject): boolean {
  if (!isJob(object)) return false;
  if (fieldAt(object, "spec", "ttlSecondsAfterFinished") !== undefined) return true;
  const policies = (object.metadata.annotations?.[DELETE_POLICY] ?? "").split(",");
  return policies.some((policy) => DELETED_AT_END.has(policy.trim()));
}

const DELETE_POLICY = "helm.sh/hook-delete-policy";

/** The other policy, `before-hook-creation`, keeps a hook until the next deployment. */
const DELETED_AT_END: ReadonlySet<string> = new Set(["hook-succeeded", "hook-failed"]);

const isSuspended = (job: LiveObject): boolean => fieldAt(job, "spec", "suspend") === true;

/**
 * Applies a Job of a restored revision. A Job that has not completed, or has another template, was
 * made by the failed revision.
 * @returns undefined if the failed revision made the Job, which is to be deleted
 */
export async function applyCompletedJob(
  client: KubeClient,
  live: LiveObject,
  object: KubernetesObject,
  options: ApplyOptions,
): Promise<LiveObject | undefined> {
  if (!isSuspended(object) && !isJobDone(live)) return undefined;
  try {
    return await client.apply(object, options);
  } catch (error) {
    if (isMpcError(error) && error.reason === "IMMUTABLE_FIELD") return undefined;
    throw error;
  }
}
