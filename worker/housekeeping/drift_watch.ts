import { getLogger } from "@logtape/logtape";
import {
  type Condition,
  DRIFTED,
  isMpcError,
  type MpcError,
  recordError,
  setCondition,
} from "@mpc/domain";
import {
  type Clock,
  describeDrift,
  isApplied,
  pagesOf,
  type Provider,
  systemPrincipal,
  updateDocument,
} from "@mpc/services";
import { adapterOfResource, type LockedResource, resourceDrift } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import type { HousekeepingObserver } from "./housekeeping_observer.ts";

const log = getLogger(["mpc", "drift"]);

export interface DriftWatchOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  /** Aborts a running pass. */
  readonly signal: AbortSignal;
  readonly observer?: HousekeepingObserver | undefined;
}

const ACTOR = systemPrincipal("drift");

/** How many resources are compared at once. */
const TOGETHER = 8;

type Drifted = Omit<Condition, "lastTransitionTime">;

const FINDINGS = { TRUE: "DRIFTED", UNKNOWN: "DRIFT_UNKNOWN", FALSE: null } as const;

/**
 * Periodically compares the clusters with what was applied of every environment and workload, and
 * reports differences in the condition `Drifted`, with the command that reverts them. It only reads
 * the clusters.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  /**
   * Checks every resource once; a resource whose cluster does not answer is left to the next pass.
   */
  async pass(): Promise<void> {
    const { store: { environments, workloads }, signal } = this.#options;
    for (const collection of [environments, workloads]) {
      for await (const page of pagesOf<LockedResource>(collection, { limit: TOGETHER, signal })) {
        await Promise.all(page.map(({ value }) => this.#look(value)));
      }
    }
  }

  async #look(resource: LockedResource): Promise<void> {
    if (!isApplied(resource)) return;
    const found = await this.#compare(resource);
    const finding = !found ? "CLUSTER_AWAY" : FINDINGS[found.status];
    if (finding) this.#options.observer?.found("drift", finding);
    try {
      if (found) await this.#tell(resource, found);
    } catch (error) {
      // It was deleted meanwhile.
      if (!isMpcError(error, "NOT_FOUND")) throw error;
    }
  }

  /** Undefined if the cluster does not answer now. */
  async #compare(resource: LockedResource): Promise<Drifted | undefined> {
    const { provider, signal } = this.#options;
    try {
      const differences = await resourceDrift(provider, resource, { signal });
      return conditionOf(resource, describeDrift(resource, differences));
    } catch (error) {
      if (signal.aborted || !isMpcError(error)) throw error;
      if (!error.retryable) return unknownDrift(resource, error);
      log.info("Cannot compare {resource} now: {error}", {
        resource: resource.name,
        error: recordError(error),
      });
      return undefined;
    }
  }

  /** Writes the result, unless the resource has changed since it was read. */
  async #tell(seen: LockedResource, found: Drifted): Promise<void> {
    const { store, clock, signal } = this.#options;
    const time = clock.now();
    const event = {
      type: "NOTICED" as const,
      reason: found.reason,
      message: found.message,
      operation: null,
      actor: ACTOR,
      time,
    };
    const adapter = adapterOfResource(seen);
    const collection = adapter.collection(store);
    await updateDocument(collection, seen.name, signal, (resource) => {
      const { uid, lastOperation, conditions } = resource;
      if (!isApplied(resource) || uid !== seen.uid || lastOperation !== seen.lastOperation) {
        return undefined;
      }
      const before = conditions.find(({ type }) => type === DRIFTED);
      if (before?.status === found.status && before.message === found.message) return undefined;
      if (before === undefined && found.status === "FALSE") return undefined;
      return { value: { ...resource, conditions: setCondition(conditions, found, time) }, event };
    }, (stored, facts) => adapter.eventOf(stored, facts));
  }
}

function conditionOf(
  { generation }: LockedResource,
  { message, remedy }: ReturnType<typeof describeDrift>,
): Drifted {
  const drifted = message !== "";
  return {
    type: DRIFTED,
    status: drifted ? "TRUE" : "FALSE",
    reason: drifted ? "ChangedByOthers" : "AsApplied",
    message: drifted ? `${message}; to revert it, run '${remedy}'` : "",
    ...(drifted && { remedy }),
    observedGeneration: generation,
  };
}

/** For a resource that cannot be rendered or compared, for instance because its chart is gone. */
function unknownDrift({ generation }: LockedResource, error: MpcError): Drifted {
  return {
    type: DRIFTED,
    status: "UNKNOWN",
    reason: "CannotCompare",
    message: error.message,
    observedGeneration: generation,
  };
}
