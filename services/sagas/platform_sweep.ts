import { type JsonObject, type NewEvent, type PlannedChange } from "@mpc/domain";
import type { ClusterObject } from "../ports/mod.ts";
import { awaitDeletion } from "./await_deletion.ts";
import type { PlatformDefinition } from "./definition.ts";
import { listed } from "./listed_objects.ts";
import { awaitRemoval, hasRecord, requestRemoval } from "./left_behind.ts";
import { clusterWait } from "./retry_policies.ts";
import type { Step, StepContext } from "./step.ts";

/** The objects without a record that one resource has left, as they were listed. */
export type SweptLeftover = {
  readonly target: string;
  readonly targetUid: string;
  readonly cluster: string;
  /** As `Kind/namespace/name`, or `Kind/name`. */
  readonly objects: readonly string[];
  /** The version of each object; absent in records of earlier versions. */
  readonly versions?: Readonly<Record<string, string>>;
  readonly hash: string;
};

export type PlatformSweepInput = {
  readonly leftovers: readonly SweptLeftover[];
};

/** The output of {@linkcode deleteObjects}. */
type Deleted = JsonObject & {
  /** Uids of leftovers that have changed since they were listed, so that they are left alone. */
  readonly skipped: readonly string[];
};

const TEN_MINUTES = 600_000;

const deleteObjects: Step<PlatformSweepInput> = {
  name: "delete_objects",
  onCancel: "keep",
  ...clusterWait(TEN_MINUTES),
  async run(context, { leftovers }): Promise<Deleted> {
    const { provider, signal, heartbeat } = context;
    const { objects, unread } = await provider.inventory({ signal });
    const skipped: string[] = [];
    const removed: string[] = [];
    const works = leftovers.map(async (leftover) => {
      const away = unread.find(({ cluster }) => cluster === leftover.cluster);
      if (away) throw away.error;
      if (await isChanged(context, leftover, leftovers, objects)) {
        skipped.push(leftover.targetUid);
        return;
      }
      await requestRemoval(provider, leftover, { signal });
      removed.push(...leftover.objects);
    });
    await Promise.allSettled(works);
    if (removed.length > 0) heartbeat(`removing ${listed(removed.toSorted())}`);
    await allOf(works);
    return { skipped: skipped.sort() };
  },
  async plan({ provider, signal }, { leftovers }) {
    const planned = leftovers.map((leftover) =>
      requestRemoval(provider, leftover, { signal, dryRun: true })
    );
    const changes: readonly PlannedChange[] = (await Promise.all(planned)).flat();
    // An environment's deletion includes its workloads.
    return [...new Map(changes.map((change) => [change.object, change])).values()];
  },
};

/**
 * Whether a leftover has changed since it was listed: its resource has a record again, or it has an
 * object that nobody has seen, or that was edited or replaced. So has a namespace that contains an
 * object of a changed leftover. Objects that are gone, or are being deleted, do not count, because
 * an earlier attempt may have deleted them.
 */
async function isChanged(
  { store, signal }: StepContext,
  leftover: SweptLeftover,
  all: readonly SweptLeftover[],
  present: readonly ClusterObject[],
): Promise<boolean> {
  const namespaces = leftover.objects.filter((object) => object.startsWith("Namespace/"))
    .map((object) => object.slice("Namespace/".length));
  const removed = present.filter(({ cluster, targetUid, object }) => {
    const [, namespace = "", name] = object.split("/");
    const isInside = name !== undefined && namespaces.includes(namespace);
    return cluster === leftover.cluster && (targetUid === leftover.targetUid || isInside);
  });
  const ownersOf = ({ cluster, targetUid }: ClusterObject) =>
    all.filter((one) => one.cluster === cluster && one.targetUid === targetUid);
  if (removed.some((object) => !ownersOf(object).some((owner) => isAsListed(owner, object)))) {
    return true;
  }
  const owners = new Set([leftover, ...removed.flatMap(ownersOf)]);
  const records = await Promise.all([...owners].map((owner) => hasRecord(store, owner, signal)));
  return records.includes(true);
}

function isAsListed(
  { objects, versions = {} }: SweptLeftover,
  { object, version }: ClusterObject,
): boolean {
  if (!objects.includes(object)) return false;
  const listed = versions[object] ?? "";
  return version === "" || listed === "" || listed === version;
}

const awaitObjectsGone: Step<PlatformSweepInput> = {
  name: "await_objects_gone",
  onCancel: "keep",
  ...clusterWait(TEN_MINUTES),
  async run(context, { leftovers }) {
    const { provider, signal, store, outputs } = context;
    const { skipped } = outputs["delete_objects"] as Deleted;
    await allOf(leftovers.map(async (leftover) => {
      if (skipped.includes(leftover.targetUid)) return;
      await awaitDeletion(
        context,
        leftover.target,
        (onBlocked) => awaitRemoval(provider, leftover, { signal, onBlocked }),
      );
      // An attempt that is repeated after a crash may note it twice.
      await store.events.append([sweptEvent(context, leftover)], { signal });
    }));
  },
};

function sweptEvent(
  { operation, actor, now }: StepContext,
  { target, cluster, objects }: SweptLeftover,
): NewEvent {
  return {
    time: now(),
    type: "NOTICED",
    reason: "OrphanSwept",
    message: `Removed from cluster '${cluster}': ${listed(objects)}`,
    target,
    operation,
    actor,
    resource: null,
  };
}

/** Waits for all, so that one that fails does not keep others from being done, then fails. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** Removes objects that have no record, as they were listed, from the clusters. */
export const platformSweep: PlatformDefinition<PlatformSweepInput> = {
  kind: "platform.sweep",
  resource: null,
  steps: [deleteObjects, awaitObjectsGone],
  cancelled: () => "what was removed so far stays removed, and nothing else is",
};
