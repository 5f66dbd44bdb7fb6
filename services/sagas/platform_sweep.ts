import type { JsonObject, NewEvent, Operation, PlannedChange } from "@mpc/domain";
import type { ClusterObject } from "../ports/mod.ts";
import { awaitDeletion } from "./await_deletion.ts";
import type { PlatformDefinition } from "./definition.ts";
import { listed } from "./listed_objects.ts";
import { awaitRemoval, hasRecord, requestRemoval, unmanagedInside } from "./left_behind.ts";
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
    const { provider, store, signal, heartbeat, operation, actor, now } = context;
    const { objects, unread } = await provider.inventory({ signal });
    const skipped: string[] = [];
    const kept: string[] = [];
    const removed: string[] = [];
    const works = leftovers.map(async (leftover) => {
      const away = unread.find(({ cluster }) => cluster === leftover.cluster);
      if (away) throw away.error;
      const why = await whyKept(context, leftover, leftovers, objects);
      if (why !== undefined) {
        skipped.push(leftover.targetUid);
        kept.push(`${leftover.target}: ${why}`);
        // An attempt that is repeated after a crash may note it twice.
        const by = { name: operation, actor, createTime: now() };
        await store.events.append([skippedEvent(by, leftover, why)], { signal });
        return;
      }
      await requestRemoval(provider, leftover, { signal });
      removed.push(...leftover.objects);
    });
    await Promise.allSettled(works);
    if (removed.length + kept.length > 0) heartbeat(progressOf(removed, kept));
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

/** What is removed and what is left alone, for people. */
function progressOf(removed: readonly string[], kept: readonly string[]): string {
  const removing = removed.length > 0
    ? `removing ${listed(removed.toSorted())}`
    : "nothing is removed";
  return [removing, ...kept.toSorted().map((it) => `left alone is ${it}`)].join("; ");
}

/**
 * Why a leftover is not removed: its resource has a record again, or it has an object that nobody has
 * seen, or that was edited or replaced. So has a namespace that contains an object of a changed
 * leftover, or an object that the platform did not apply. Objects that are gone, or are being
 * deleted, do not count, because an earlier attempt may have deleted them.
 */
async function whyKept(
  { provider, store, signal }: StepContext,
  leftover: SweptLeftover,
  all: readonly SweptLeftover[],
  present: readonly ClusterObject[],
): Promise<string | undefined> {
  const namespaces = leftover.objects.filter((object) => object.startsWith("Namespace/"))
    .map((object) => object.slice("Namespace/".length));
  const removed = present.filter(({ cluster, targetUid, object }) => {
    const [, namespace = "", name] = object.split("/");
    const isInside = name !== undefined && namespaces.includes(namespace);
    return cluster === leftover.cluster && (targetUid === leftover.targetUid || isInside);
  });
  const ownersOf = ({ cluster, targetUid }: ClusterObject) =>
    all.filter((one) => one.cluster === cluster && one.targetUid === targetUid);
  const changed = removed.filter((object) =>
    !ownersOf(object).some((owner) => isAsListed(owner, object))
  );
  if (changed.length > 0) {
    return `${listed(changed.map(({ object }) => object))} ${
      changed.length === 1 ? "was" : "were"
    } made or changed after the list was made`;
  }
  for (const owner of new Set([leftover, ...removed.flatMap(ownersOf)])) {
    if (await hasRecord(store, owner, signal)) return `'${owner.target}' has a record again`;
  }
  // A namespace that is being deleted loses them in any case.
  if (removed.every(({ version }) => version === "")) return undefined;
  const unmanaged = await unmanagedInside(provider, leftover, { signal });
  return unmanaged.length > 0 ? containsUnmanaged(unmanaged) : undefined;
}

/** Says that a namespace has objects of others. */
export const containsUnmanaged = (objects: readonly string[]): string =>
  `its namespace contains what the platform did not apply: ${listed(objects)}`;

/** The event that says why a leftover is not removed. */
export function skippedEvent(
  { name, actor, createTime }: Pick<Operation, "name" | "actor" | "createTime">,
  { target, cluster, objects }: Pick<SweptLeftover, "target" | "cluster" | "objects">,
  why: string,
): NewEvent {
  return {
    time: createTime,
    type: "NOTICED",
    reason: "SweepSkipped",
    message: `Left alone on cluster '${cluster}': ${listed(objects)}; ${why}`,
    target,
    operation: name,
    actor,
    resource: null,
  };
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
