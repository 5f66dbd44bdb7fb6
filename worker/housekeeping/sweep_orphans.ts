import { getLogger } from "@logtape/logtape";
import { type Event, isMpcError, type Orphan, recordError } from "@mpc/domain";
import {
  type Clock,
  pagesOf,
  type Provider,
  sleepUnlessAborted,
  systemPrincipal,
} from "@mpc/services";
import {
  awaitRemoval,
  containsUnmanaged,
  hasRecord,
  requestRemoval,
  unmanagedInside,
} from "@mpc/services/sagas";
import type { Store, Stored } from "@mpc/storage";
import { isLeaseLost } from "./fenced_passes.ts";
import type { HousekeepingFinding } from "./housekeeping_observer.ts";

const log = getLogger(["mpc", "janitor"]);

/** How long a sweep waits for one deletion. A later pass finds out about longer ones. */
const PATIENCE_MS = 5_000;

/** How many objects are removed at once. */
const AT_ONCE = 50;

interface SweepOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly found: (finding: HousekeepingFinding) => void;
  /** Rejects if the pass may not go on; asked right before each deletion. */
  readonly beforeDelete?: () => Promise<void>;
}

/**
 * Removes what abandoned resources left on the cluster, and deletes the records of what is gone. A
 * namespace that contains objects of others stays until they are gone, as in a sweep by a person.
 */
export async function sweepOrphans(options: SweepOptions, signal: AbortSignal): Promise<void> {
  for await (const orphans of pagesOf(options.store.orphans, { limit: AT_ONCE, signal })) {
    // In parallel, so that a deletion that hangs blocks neither the others nor the rest of the
    // pass.
    await Promise.all(orphans.map((orphan) => sweep(options, orphan, signal)));
  }
}

async function sweep(
  options: SweepOptions,
  { value, version }: Stored<Orphan>,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock } = options;
  try {
    if (await hasRecord(store, value, signal)) return;
    const end = await remove(options, value, signal);
    if (!end) return;
    await store.orphans.delete(value.name, version, {
      signal,
      events: [{
        time: clock.now(),
        type: "NOTICED",
        ...end,
        target: value.target,
        operation: value.operation,
        actor: systemPrincipal("janitor"),
        resource: null,
      }],
    });
    options.found("ORPHAN_SWEPT");
  } catch (error) {
    if (signal.aborted || isMpcError(error, "NOT_FOUND")) return;
    if (isLeaseLost(error)) throw error;
    options.found("ORPHAN_LEFT");
    log.warn("Cannot sweep {orphan} yet: {error}", {
      orphan: value.target,
      error: recordError(error),
    });
  }
}

/** @returns how it ended; undefined if it stays on the cluster for now */
async function remove(
  { provider, clock, beforeDelete }: Omit<SweepOptions, "store">,
  orphan: Orphan,
  stop: AbortSignal,
): Promise<Pick<Event, "reason" | "message"> | undefined> {
  const patience = new AbortController();
  const done = new AbortController();
  const timer = sleepUnlessAborted(clock, PATIENCE_MS, AbortSignal.any([stop, done.signal]))
    .then((slept) => slept && patience.abort());
  const signal = AbortSignal.any([stop, patience.signal]);
  const { target, cluster } = orphan;
  try {
    const unmanaged = await unmanagedInside(provider, orphan, { signal });
    if (unmanaged.length > 0) {
      const why = containsUnmanaged(unmanaged);
      log.info("What {orphan} left stays on the cluster: {why}", { orphan: target, why });
      return undefined;
    }
    await requestRemoval(provider, orphan, { signal, ...(beforeDelete && { beforeDelete }) });
    await awaitRemoval(provider, orphan, { signal });
    return {
      reason: "OrphanSwept",
      message: `The objects that '${target}' left on the cluster are gone`,
    };
  } catch (error) {
    if (!isMpcError(error) || error.reason !== "UNKNOWN_CLUSTER") throw error;
    return {
      reason: "OrphanForgotten",
      message:
        `The objects that '${target}' left stay on cluster '${cluster}', which workers no longer have`,
    };
  } finally {
    done.abort();
    await timer;
  }
}
