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
import { type Clock, type Provider, updateDocument, workloadEvent } from "@mpc/services";
import { workloadIntentOf } from "@mpc/services/operations";
import type { Cursor, Store } from "@mpc/storage";
import { repeatPass } from "./repeat_pass.ts";

const log = getLogger(["mpc", "drift"]);

export interface DriftWatchOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  /** From the end of one look at all workloads to the next; five minutes where not given. */
  readonly intervalMs?: number;
}

/** Each look asks the cluster about every object. */
const INTERVAL_MS = 300_000;

const ACTOR = "system:drift";

/** So many workloads are compared at the same time. */
const TOGETHER = 8;

/** A condition says no more than so many differences. */
const MAX_TOLD = 5;

/**
 * Compares, now and then, what runs with what was applied, and says so in the condition `Drifted`.
 * It only reads the cluster: `mpctl workload reconcile` puts back.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  /** Begins to look on a timer. */
  start(): void {
    const { clock, intervalMs = INTERVAL_MS } = this.#options;
    const pass = () => this.pass();
    this.#running = repeatPass({ clock, intervalMs, pass, signal: this.#stop.signal, log });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Looks at every workload once; what cannot be compared now is in the next pass. */
  async pass(): Promise<void> {
    const { workloads } = this.#options.store;
    const { signal } = this.#stop;
    let after: Cursor | undefined;
    do {
      const page = await workloads.list({ limit: TOGETHER, signal, ...(after && { after }) });
      await Promise.all(page.items.map(({ value }) => this.#look(value)));
      after = page.next ?? undefined;
    } while (after);
  }

  async #look(workload: Workload): Promise<void> {
    const { provider } = this.#options;
    const { signal } = this.#stop;
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

  /** Keeps what was found, unless the workload has been changed since it was read. */
  async #tell(seen: Workload, changes: readonly PlannedChange[]): Promise<void> {
    const { store, clock } = this.#options;
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
    await updateDocument(store.workloads, seen.name, this.#stop.signal, (workload) => {
      const { currentOperation, uid, generation, conditions } = workload;
      if (currentOperation !== null || uid !== seen.uid || generation !== seen.generation) {
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
