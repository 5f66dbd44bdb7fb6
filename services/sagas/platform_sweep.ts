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
      if (await isChanged(context, leftover, objects)) {
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
 * object that nobody has seen. Objects that are gone do not count, because an earlier attempt may
 * have deleted them.
 */
async function isChanged(
  { store, signal }: StepContext,
  leftover: SweptLeftover,
  present: readonly ClusterObject[],
): Promise<boolean> {
  const unseen = present.some(({ targetUid, cluster, object }) =>
    targetUid === leftover.targetUid && cluster === leftover.cluster &&
    !leftover.objects.includes(object)
  );
  return unseen || await hasRecord(store, leftover, signal);
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
