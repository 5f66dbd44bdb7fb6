import { isMpcError, type PlannedChange } from "@mpc/domain";
import { activeTraceparent } from "@mpc/process";
import type { ApplyCall } from "@mpc/services";
import { beingDeleted, ownedByAnother } from "../../provider_errors.ts";
import { deleteObjects, listKinds } from "../client/bulk_requests.ts";
import type { ApplyOptions, KubeClient } from "../client/kube_client.ts";
import { AUTOSCALER, keyOf } from "../client/kinds.ts";
import { fieldAt, type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { installedBy, type KubernetesObject } from "../render/mod.ts";
import { isJob } from "../rollout/job_status.ts";
import { applyCompletedJob, isNotRunAgain } from "./completed_jobs.ts";
import type { Desired } from "./desired.ts";
import { deletionOf, diffObjects } from "./diff.ts";
import { annotateKindHistory, findKindHistory, readKindHistory } from "./kind_history.ts";
import { isForeign, makerOf, ownedBy, ownerOf } from "./ownership.ts";
import {
  applyWithReplicas,
  foreignAutoscaler,
  isAbout,
  withoutReplicas,
} from "./replica_ownership.ts";
import { isSwitchedLater } from "./switched_services.ts";
import { annotateTrace } from "./trace_annotation.ts";

/**
 * Applies the desired objects by server-side apply. Deletes nothing that pods use or that is used to
 * reach them: {@linkcode pruneObjects} does, after the rollout.
 *
 * The ownership of all objects is checked before the first change. Each object is applied with its
 * uid, or so that it can only be created, so that an object that somebody else has replaced or made
 * in the meantime is not changed.
 * @throws `ALREADY_EXISTS` `OWNED_BY_ANOTHER`, and the errors of {@linkcode KubeClient.apply}
 */
export async function applyObjects(
  client: KubeClient,
  desired: Desired,
  call: ApplyCall,
): Promise<readonly PlannedChange[]> {
  const { signal, dryRun = false, forceConflicts: force = false } = call;
  const before = await readOwned(client, desired, signal);
  const history = await historyOf(client, desired, before, call);
  const autoscalers = await ownAutoscalers(client, desired, before, history, call);
  const obsolete: LiveObject[] = autoscalers.filter((it) => isReplacedNow(it, desired));
  const changes: PlannedChange[] = [];
  const objects = installedBy(desired.installation, desired.objects);
  const annotated = annotateTrace(
    annotateKindHistory(objects, history),
    before,
    activeTraceparent(),
  );
  for (const object of annotated) {
    const live = before.get(textOf(refOf(object)));
    if (call.only && !call.only.includes(textOf(refOf(object)))) continue;
    if (!live && isNotRunAgain(object, call)) continue;
    const later = live !== undefined && isSwitchedLater(live, object);
    const mustCreate = !live && !dryRun;
    const options = { signal, dryRun: dryRun || later, force, uid: live?.metadata.uid, mustCreate };
    const least = leastReplicas(desired.objects, object);
    const scaling = { least, wasAutoscaled: leastReplicas(autoscalers, object) !== undefined };
    // Without force, its number is a conflict like everything that others have set.
    const keeper = force && !scaling.wasAutoscaled
      ? await foreignAutoscaler(client, live, object, call)
      : undefined;
    const wanted = keeper ? withoutReplicas(object) : object;
    const applied = live && isJob(object) && call.restore
      ? await applyCompletedJob(client, live, object, options)
      : await applyWithReplicas(client, live, wanted, scaling, options)
        .catch((error) => failUnlessCreated(client, object, desired, options, error));
    if (applied) {
      const change = diffObjects(live, applied, desired.shown);
      if (keeper) changes.push(keptChange(change, applied, keeper));
      else if (change) changes.push(change);
    } else if (live) obsolete.push(live);
  }
  if (!dryRun) await deleteObjects(client, obsolete, { signal });
  return [...changes, ...obsolete.map(deletionOf)];
}

/** The changes of applying objects to a namespace that does not exist: all are created. */
export function creationOf(objects: readonly KubernetesObject[]): readonly PlannedChange[] {
  return objects.flatMap((object) => diffObjects(undefined, object) ?? []);
}

/**
 * Whether an autoscaler is deleted before the rollout: it is no longer desired, but its target is,
 * whose replicas it would go on to change.
 */
export function isReplacedNow(autoscaler: LiveObject, { objects }: Desired): boolean {
  if (autoscaler.kind !== AUTOSCALER.kind) return false;
  const text = textOf(refOf(autoscaler));
  return !objects.some((object) => textOf(refOf(object)) === text) &&
    objects.some((object) => leastReplicas([autoscaler], object) !== undefined);
}

/** A change that leaves the replicas to an autoscaler of others, and says so. */
function keptChange(
  change: PlannedChange | undefined,
  applied: LiveObject,
  autoscaler: LiveObject,
): PlannedChange {
  const note =
    `'${textOf(refOf(autoscaler))}', which the platform did not apply, keeps the number ` +
    `of replicas at ${fieldAt(applied, "spec", "replicas")}`;
  const unchanged = { action: "UPDATE" as const, object: textOf(refOf(applied)), fields: [] };
  return { ...change ?? unchanged, note };
}

/** The current state of the desired objects that exist, by their text. Checks their ownership. */
async function readOwned(
  client: KubeClient,
  { objects, uid, installation, read }: Desired,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LiveObject>> {
  const known = read && new Map(read.map((object) => [textOf(refOf(object)), object]));
  const found = known
    ? objects.map((object) => known.get(textOf(refOf(object))))
    : await Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
  const live = found.flatMap((object) => object ? [[textOf(refOf(object)), object] as const] : []);
  for (const [text, object] of live) {
    if (ownerOf(object) !== uid || isForeign(object, installation)) {
      throw ownedByAnother(text, makerOf(object));
    }
    if (object.metadata.deletionTimestamp !== undefined) throw beingDeleted(text);
  }
  return new Map(live);
}

/**
 * Explains a failed apply: where somebody else has made the object after it was looked for, the
 * failure is permanent.
 * @throws `ALREADY_EXISTS` `OWNED_BY_ANOTHER`, or the error itself
 */
async function failUnlessCreated(
  client: KubeClient,
  object: KubernetesObject,
  { uid, installation }: Pick<Desired, "uid" | "installation">,
  { mustCreate, signal }: Pick<ApplyOptions, "mustCreate" | "signal">,
  error: unknown,
): Promise<never> {
  if (!mustCreate || !isMpcError(error) || error.reason !== "CLUSTER_CONFLICT") throw error;
  const ref = refOf(object);
  const found = await client.get(ref, { signal });
  if (!found || (ownerOf(found) === uid && !isForeign(found, installation))) throw error;
  throw ownedByAnother(textOf(ref), makerOf(found));
}

/** Every kind that the owner may have objects of, besides the desired ones. */
async function historyOf(
  client: KubeClient,
  { uid, prune, revision, namespace }: Desired,
  before: ReadonlyMap<string, LiveObject>,
  { signal, restore = false, leftovers = restore }: ApplyCall,
): Promise<ReadonlySet<string>> {
  const known = readKindHistory(before.values());
  // The pruning after leftovers lists every kind, so that none is left afterwards.
  const isFirst = revision === undefined || (before.size === 0 && revision === 1);
  if (known || leftovers || isFirst) return known ?? new Set();
  const selection = { namespace, labelSelector: ownedBy(uid) };
  return await findKindHistory(client, selection, signal) ?? new Set(prune.map(keyOf));
}

/** The owner's autoscalers that may decide about desired objects. */
async function ownAutoscalers(
  client: KubeClient,
  { uid, installation, prune, namespace }: Desired,
  before: ReadonlyMap<string, LiveObject>,
  history: ReadonlySet<string>,
  { signal, restore = false, leftovers = restore }: ApplyCall,
): Promise<readonly LiveObject[]> {
  if (before.size === 0 || !prune.includes(AUTOSCALER)) return [];
  if (!leftovers && !history.has(keyOf(AUTOSCALER))) return [];
  const selection = { namespace, labelSelector: ownedBy(uid) };
  const owned = await listKinds(client, [AUTOSCALER], selection, signal);
  return owned.filter((object) =>
    !isForeign(object, installation) && object.metadata.deletionTimestamp === undefined
  );
}

/** The least replicas that an autoscaler among these objects sets for one of them. */
function leastReplicas(
  objects: readonly (KubernetesObject | LiveObject)[],
  object: KubernetesObject,
): number | undefined {
  const autoscaler = objects.find((it) => isAbout(it, object));
  if (!autoscaler) return undefined;
  const least = fieldAt(autoscaler, "spec", "minReplicas");
  return typeof least === "number" ? least : 1;
}
