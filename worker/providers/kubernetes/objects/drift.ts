import { type ErrorReason, type FieldChange, isMpcError } from "@mpc/domain";
import type { ApplyCall, Difference, ProviderCall } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { kubectlNameOf, type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { INSTALLATION, MANAGED_BY, MANAGER, UID } from "../render/mod.ts";
import { applyObjects } from "./apply.ts";
import { removesItself } from "./completed_jobs.ts";
import type { Desired } from "./desired.ts";
import { isForeign, ownerOf } from "./ownership.ts";
import { pruneObjects } from "./prune.ts";
import { isAutoscaled } from "./replica_ownership.ts";

/** The differences of the cluster from the desired state, as the changes that would undo them. */
export async function driftOf(
  client: KubeClient,
  desired: Desired,
  { signal }: ProviderCall,
): Promise<readonly Difference[]> {
  const options = { signal, dryRun: true, forceConflicts: true };
  const temporary = new Set(desired.objects.filter(removesItself).map((o) => textOf(refOf(o))));
  const changes = [
    ...await applyOrDescribe(client, desired, options),
    ...await pruneObjects(client, desired, options),
  ].filter(({ action, object }) => action !== "CREATE" || !temporary.has(object))
    // What others decide, as an autoscaler of theirs does, is no difference.
    .filter(({ fields, note }) => note === undefined || fields.length > 0)
    .flatMap(withoutChosenStrategy);
  const rescaled = changes.some(({ fields }) => fields.some(({ path }) => path === REPLICAS));
  if (!rescaled) return changes;
  const live = await readAll(client, desired, signal);
  const autoscaled = new Set(
    live.flatMap((object) => object && isAutoscaled(object) ? [textOf(refOf(object))] : []),
  );
  return changes.flatMap((change) => {
    if (!autoscaled.has(change.object)) return [change];
    const fields = change.fields.filter(({ path }) => path !== REPLICAS);
    return fields.length > 0 ? [{ ...change, fields }] : [];
  });
}

const REPLICAS = "spec.replicas";

const STRATEGY = "spec.strategy.";

/** What an apply sets instead of the rendered surge, so that an update fits its quota, as JSON. */
const CHOSEN: Readonly<Record<string, readonly string[]>> = {
  "spec.strategy.type": ['"Recreate"'],
  "spec.strategy.rollingUpdate.maxSurge": ["0", ""],
  "spec.strategy.rollingUpdate.maxUnavailable": ["1", ""],
};

/** Drops the update strategy if the last apply has chosen it (see `fitQuota`). */
function withoutChosenStrategy(change: Difference): readonly Difference[] {
  const strategy = change.fields.filter(({ path }) => path.startsWith(STRATEGY));
  const isChosen = strategy.every(({ path, before, after }) =>
    after !== '"Recreate"' && CHOSEN[path]?.includes(before)
  );
  if (strategy.length === 0 || !isChosen) return [change];
  const fields = change.fields.filter((field) => !strategy.includes(field));
  return fields.length > 0 ? [{ ...change, fields }] : [];
}

/** Why an object is not applied at all, before any of its fields is compared. */
const NOT_APPLIED: ReadonlySet<ErrorReason> = new Set(["OWNED_BY_ANOTHER", "CLUSTER_CONFLICT"]);

/**
 * What applying would change. An object that somebody deletes, or that has lost the labels by which
 * it is ours, cannot be applied: it is described instead, and the others are compared without it.
 */
async function applyOrDescribe(
  client: KubeClient,
  desired: Desired,
  options: ApplyCall,
): Promise<readonly Difference[]> {
  try {
    return await applyObjects(client, desired, options);
  } catch (error) {
    if (!isMpcError(error) || !NOT_APPLIED.has(error.reason)) throw error;
    const live = await readAll(client, desired, options.signal);
    const described = live.flatMap((object) => object ? describe(object, desired) ?? [] : []);
    if (described.length === 0) throw error;
    const skipped = new Set(described.map(({ object }) => object));
    const objects = desired.objects.filter((object) => !skipped.has(textOf(refOf(object))));
    return [...described, ...await applyObjects(client, { ...desired, objects }, options)];
  }
}

/** The labels or the deletion that keep an object from being applied; undefined if nothing does. */
function describe(
  object: LiveObject,
  { uid, installation }: Desired,
): Difference | undefined {
  const { labels = {}, deletionTimestamp } = object.metadata;
  const text = textOf(refOf(object));
  if (ownerOf(object) === uid && !isForeign(object, installation)) {
    if (deletionTimestamp === undefined) return undefined;
    const deletion = field("metadata.deletionTimestamp", deletionTimestamp, undefined);
    return { action: "UPDATE", object: text, fields: [deletion] };
  }
  const ours = Object.entries({ [MANAGED_BY]: MANAGER, [UID]: uid, [INSTALLATION]: installation })
    .filter(([label, value]) => labels[label] !== value);
  const fields = ours.map(([label, value]) =>
    field(`metadata.labels[${label}]`, labels[label], value)
  );
  const where = kubectlNameOf(refOf(object));
  // What another control plane has taken over is for people to look at.
  const remedy = isForeign(object, installation)
    ? `kubectl get ${where} -o yaml`
    : `kubectl label ${where} --overwrite ${ours.map((label) => label.join("=")).join(" ")}`;
  return { action: "UPDATE", object: text, fields, remedy };
}

function field(path: string, before: string | undefined, after: string | undefined): FieldChange {
  const json = (value: string | undefined) => value === undefined ? "" : JSON.stringify(value);
  return { path, before: json(before), after: json(after) };
}

function readAll(
  client: KubeClient,
  { objects }: Desired,
  signal: AbortSignal,
): Promise<readonly (LiveObject | undefined)[]> {
  return Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
}
