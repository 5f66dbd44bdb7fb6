import { getLogger } from "@logtape/logtape";
import {
  type Condition,
  DRIFTED,
  isMpcError,
  type PlannedChange,
  recordError,
  setCondition,
  type Workload,
} from "@mpc/domain";
import {
  type Clock,
  pagesOf,
  type Provider,
  systemPrincipal,
  updateDocument,
  workloadEvent,
} from "@mpc/services";
import { workloadIntentOf } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";

const log = getLogger(["mpc", "drift"]);

export interface DriftWatchOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  /** Aborts a running pass. */
  readonly signal: AbortSignal;
}

const ACTOR = systemPrincipal("drift");

/** How many workloads are compared at once. */
const TOGETHER = 8;

/** The maximum number of differences in a condition. */
const MAX_TOLD = 5;

/**
 * Periodically compares the cluster with what was applied, and reports differences in the condition
 * `Drifted`. It only reads the cluster; `mpctl workload reconcile` applies the workload again.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  /**
   * Checks every workload once; a workload that cannot be compared now is left to the next pass.
   */
  async pass(): Promise<void> {
    const { store: { workloads }, signal } = this.#options;
    for await (const page of pagesOf(workloads, { limit: TOGETHER, signal })) {
      await Promise.all(page.map(({ value }) => this.#look(value)));
    }
  }

  async #look(workload: Workload): Promise<void> {
    const { provider, signal } = this.#options;
    if (workload.currentOperation !== null || workload.activeRevision === 0) return;
    try {
      const changes = await provider.drift(workloadIntentOf(workload), { signal });
      await this.#tell(workload, changes);
    } catch (error) {
      if (signal.aborted || !isMpcError(error)) throw error;
      log.info("Cannot compare {workload} now: {error}", {
        workload: workload.name,
        error: recordError(error),
      });
    }
  }

  /** Writes the result, unless the workload has changed since it was read. */
  async #tell(seen: Workload, changes: readonly PlannedChange[]): Promise<void> {
    const { store, clock, signal } = this.#options;
    const found = conditionOf(seen, changes);
    const time = clock.now();
    const event = {
      type: "NOTICED" as const,
      reason: found.reason,
      message: found.message,
      operation: null,
      actor: ACTOR,
      time,
    };
    await updateDocument(store.workloads, seen.name, signal, (workload) => {
      const { currentOperation, uid, activeRevision, generation, conditions } = workload;
      if (currentOperation !== null || uid !== seen.uid) return undefined;
      // A reconciliation deploys a revision of the same generation.
      if (activeRevision !== seen.activeRevision || generation !== seen.generation) {
        return undefined;
      }
      const before = conditions.find(({ type }) => type === DRIFTED);
      if (before?.message === found.message) return undefined;
      if (before === undefined && found.status === "FALSE") return undefined;
      return { value: { ...workload, conditions: setCondition(conditions, found, time) }, event };
    }, workloadEvent);
  }
}

function conditionOf(
  { generation }: Workload,
  changes: readonly PlannedChange[],
): Omit<Condition, "lastTransitionTime"> {
  const drifted = changes.length > 0;
  return {
    type: DRIFTED,
    status: drifted ? "TRUE" : "FALSE",
    reason: drifted ? "ChangedByOthers" : "AsApplied",
    message: drifted ? describe(changes) : "",
    observedGeneration: generation,
  };
}

function describe(changes: readonly PlannedChange[]): string {
  const all = changes.flatMap(({ action, object, fields }) => {
    if (action === "CREATE") return [`${object} is missing`];
    if (action === "DELETE") return [`${object} should not be there`];
    return fields.map(({ path, before, after }) =>
      `${object} has ${path} ${before || "unset"} in place of ${after || "unset"}`
    );
  });
  const more = all.length > MAX_TOLD ? `; and ${all.length - MAX_TOLD} more` : "";
  return `${all.slice(0, MAX_TOLD).join("; ")}${more}`;
}
