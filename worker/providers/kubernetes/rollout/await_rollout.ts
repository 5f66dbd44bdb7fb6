import type { Instant } from "@mpc/domain";
import type { RolloutCall, RolloutProgress, RolloutStatus, WorkloadIntent } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { reportChanges } from "../../report_changes.ts";
import { sleepUntilChanged } from "../../sleep_until_changed.ts";
import { listKinds } from "../client/bulk_requests.ts";
import { POD, REPLICA_SET } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { type LiveObject, refOf } from "../client/kube_object.ts";
import { mainContainersOf } from "../client/typed_objects.ts";
import { awaitedKinds, WORKLOAD_KINDS } from "../managed_kinds.ts";
import { removesItself } from "../objects/completed_jobs.ts";
import { ownedBy, revisionOf } from "../objects/ownership.ts";
import { fitsAfterDeletions } from "../quota/fit_quota.ts";
import { transientFailure, type WatchedCluster } from "../watch/cluster_watch.ts";
import { type TrackedObject, trackOwned } from "../watch/tracked_object.ts";
import { blockingPods } from "./blocking_pods.ts";
import { redactFrom } from "../redact.ts";
import { detectFailure } from "./detect_failure.ts";
import { eventFailures, isStillMissing } from "./event_failure.ts";
import { isAwaited, isJob, isJobFinished } from "./job_status.ts";
import { progressOf } from "./progress.ts";
import { ProgressDeadline } from "./progress_deadline.ts";
import { rolloutError } from "./rollout_error.ts";
import { isFailure, mostUrgent } from "./rollout_failure.ts";
import { currentPods, type RolloutSnapshot } from "./rollout_snapshot.ts";
import { RolloutWarnings } from "./rollout_warnings.ts";
import { waitingAdvice } from "./waiting_advice.ts";
import { claimsOf, neededEvents, type WaitingReason, waitingReason } from "./waiting_reason.ts";

/** How long a restarted container must run before it counts as stable. */
const STABLE_MS = 10_000;

/** How often a rollout that waits for room in a quota checks whether there will be room. */
const QUOTA_RECHECK_MS = 2_000;

/**
 * Waits for a rollout on the cluster's shared watches. Fails as soon as the rollout cannot succeed.
 * Deletes pods that keep a StatefulSet from going on.
 * @param mayBeGone whether every object of the workload deletes itself in the end
 * @throws as documented at {@linkcode Provider.awaitRollout}
 */
export async function awaitRollout(
  cluster: WatchedCluster,
  intent: WorkloadIntent,
  { signal, onProgress, restore = false }: RolloutCall,
  mayBeGone: () => Promise<boolean>,
): Promise<RolloutStatus> {
  const { client, watch, clock } = cluster;
  const { environment: namespace, workload, uid, spec, revision } = intent;
  const [replicaSets, pods] = [watch.informer(REPLICA_SET), watch.informer(POD)];
  const owned = await trackOwned(cluster, awaitedKinds(spec), { namespace, uid }, signal);
  // Objects of other revisions exist until they are pruned.
  const tracked = owned.filter((object) => isOfRevision(object.current(), revision));
  if (tracked.length === 0) return await nothingToRollOut(client, intent, { signal, mayBeGone });
  const deadline = new ProgressDeadline(clock, spec.progressDeadlineMs);
  const report = reportChanges(onProgress, ({ message }) => message);
  const deleted = new Set<string | undefined>();
  const warnings = new RolloutWarnings(cluster, namespace);
  for (;;) {
    const changed = watch.changed(uid);
    const controllers = tracked.flatMap(stateOf).filter(isAwaited);
    if (controllers.length === 0) throw notOnCluster(workload);
    const snapshot = { controllers, replicaSets: replicaSets.of(uid), pods: pods.of(uid) };
    const { status, complete } = progressOf(snapshot);
    const explainable = complete ? undefined : neededEvents(snapshot);
    const watchFailure = transientFailure([
      ...tracked.map(({ failure }) => failure),
      replicaSets.failure,
      pods.failure,
    ]);
    if (watchFailure) {
      report({ ...status, message: `${status.message}; waiting for the cluster to answer` });
    } else {
      if (explainable !== undefined) {
        const claims = snapshot.pods.some((pod) => claimsOf(pod).length > 0);
        const progress = `${status.message}; ${explainable}`;
        await warnings.refresh({ progress, claims, changed }, signal);
      }
      report(withReason(intent, status, complete ? undefined : waitingReason(snapshot, warnings)));
    }
    const stable = complete ? stableAt(snapshot, clock.now()) : undefined;
    if (complete && stable === undefined) return status;
    const patience = stable === undefined
      ? deadline.check(snapshot, status)
      : { recheckAt: stable };
    let verdict = mostUrgent([
      ...[detectFailure(snapshot, clock.now()) ?? []].flat(),
      ...(complete ? [] : eventFailures(snapshot, warnings, clock.now())),
      ...(explainable === undefined ? [] : [{ recheckAt: warnings.nextRead }]),
      patience,
    ]);
    // Pods that are being deleted use the quota until they are gone.
    const overQuota = verdict && isFailure(verdict) && !watchFailure
      ? verdict.overQuota
      : undefined;
    if (overQuota && await fitsAfterDeletions(client, overQuota, signal)) {
      verdict = mostUrgent([patience, { recheckAt: clock.now() + QUOTA_RECHECK_MS }]);
    }
    let recheckAt = verdict && !isFailure(verdict) ? verdict.recheckAt : undefined;
    if (verdict && isFailure(verdict)) {
      if (watchFailure) throw watchFailure;
      if (await isStillMissing(client, namespace, verdict, signal)) {
        throw await rolloutError(client, intent, verdict, signal);
      }
      recheckAt = warnings.nextRead;
    }
    for (const pod of blockingPods(snapshot, { restore, now: clock.now() })) {
      const { uid } = pod.metadata;
      if (uid === undefined || deleted.has(uid)) continue;
      await client.delete(refOf(pod), { signal, uid, propagation: "Background" });
      deleted.add(uid);
    }
    await sleepUntilChanged(clock, recheckAt, signal, changed);
  }
}

/** Longer messages are cut: they are shown in one line. */
const MAX_REASON = 400;

/** The progress with what the rollout waits for. Probes may print what the program knows. */
function withReason(
  intent: WorkloadIntent,
  status: RolloutStatus,
  reason: WaitingReason | undefined,
): RolloutProgress {
  if (!reason) return status;
  const { env, chart } = intent.spec;
  const { subject, message } = reason;
  const told = redactFrom(message, [env, chart?.values ?? {}]).replaceAll(/\s+/g, " ").trim();
  const why = [subject, reason.reason, told.slice(0, MAX_REASON)].filter(Boolean).join(": ");
  return {
    ...status,
    message: `${status.message}; ${why}`,
    advice: waitingAdvice(intent, reason),
  };
}

/**
 * An object that is not being deleted; also a Job that deletes itself, which says how it has ended
 * while it is deleted and after that.
 */
function stateOf(tracked: TrackedObject): readonly LiveObject[] {
  const current = tracked.current();
  if (current && current.metadata.deletionTimestamp === undefined) return [current];
  const last = current ?? tracked.removedJob();
  return last && removesItself(last) && isJobFinished(last) ? [last] : [];
}

const isOfRevision = (controller: LiveObject | undefined, revision: number): boolean =>
  controller !== undefined && revisionOf(controller) === revision;

/**
 * When the restarted containers of a complete rollout will count as stable; undefined if all do now.
 * Without a readiness probe, a program that crashes again and again is ready for a moment after each
 * start.
 */
function stableAt(snapshot: RolloutSnapshot, now: Instant): Instant | undefined {
  const times = snapshot.controllers.filter((controller) => !isJob(controller))
    .flatMap((controller) => currentPods(controller, snapshot))
    .flatMap(mainContainersOf)
    .filter(({ restartCount }) => restartCount > 0)
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ""))
    // A start in the future comes from a node whose clock is ahead of ours.
    .filter((started) => started <= now && now < started + STABLE_MS)
    .map((started) => started + STABLE_MS);
  return times.length > 0 ? Math.max(...times) : undefined;
}

/**
 * The status of a chart that has no controllers.
 * @throws {MpcError} NOT_FOUND `NOT_ON_CLUSTER` if the workload has no objects at all, unless all of
 *   them are Jobs that have ended and deleted themselves
 */
async function nothingToRollOut(
  client: KubeClient,
  { environment: namespace, workload, uid, spec, revision }: WorkloadIntent,
  { signal, mayBeGone }: {
    readonly signal: AbortSignal;
    readonly mayBeGone: () => Promise<boolean>;
  },
): Promise<RolloutStatus> {
  const selection = { namespace, labelSelector: ownedBy(uid) };
  const objects = spec.chart && await listKinds(client, WORKLOAD_KINDS, selection, signal);
  if (!objects || (objects.length === 0 && !await mayBeGone())) throw notOnCluster(workload);
  return { desired: 0, updated: 0, ready: 0, revision, message: "there is nothing to roll out" };
}
