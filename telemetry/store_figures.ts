import { getLogger } from "@logtape/logtape";
import {
  ENVIRONMENT_STATES,
  type Filter,
  isTerminal,
  OPERATION_FIELDS,
  OPERATION_STATES,
  parseFilter,
  recordError,
  WORKLOAD_STATES,
} from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { Metrics } from "./metrics.ts";

const log = getLogger(["mpc", "metrics"]);

/** How long the store may take, less than the 10 s that Prometheus waits for a page by default. */
const STORE_MS = 5_000;

/** The states whose operations an operator looks for; ended ones are counted when they end. */
const LIVE = OPERATION_STATES.filter((state) => !isTerminal(state) || state === "NEEDS_ATTENTION");

/**
 * Reads what only the store knows: how much there is, what waits, and since when. Every process of a
 * platform has the same figures, so alerts take their maximum, not their sum.
 */
export async function readStoreFigures(
  metrics: Metrics,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
): Promise<void> {
  const signal = AbortSignal.timeout(STORE_MS);
  const now = clock.now();
  const stalled = parseFilter("stalled:true", OPERATION_FIELDS, now);
  try {
    const [oldest, stalledCount, head] = await Promise.all([
      store.operations.list({
        filter: inState("PENDING"),
        orderBy: [{ path: ["createTime"], descending: false }],
        limit: 1,
        signal,
      }),
      store.operations.count({ ...(stalled && { filter: stalled }), signal }),
      store.events.head({ signal }),
      countByState(metrics.operations, store.operations, LIVE, signal),
      countByState(metrics.environments, store.environments, ENVIRONMENT_STATES, signal),
      countByState(metrics.workloads, store.workloads, WORKLOAD_STATES, signal),
    ]);
    const since = oldest.items[0]?.value.createTime ?? now;
    metrics.queueAge.set(Math.max(0, now - since) / 1_000);
    metrics.stalled.set(stalledCount);
    metrics.eventHead.set(head);
    metrics.eventLag.set(Math.max(0, ...[...metrics.followers].map(({ at }) => head - at)));
    metrics.storeUp.set(1);
  } catch (error) {
    log.warn("Cannot read figures from the store: {error}", { error: recordError(error) });
    metrics.storeUp.set(0);
    for (const gauge of [metrics.operations, metrics.environments, metrics.workloads]) {
      gauge.reset();
    }
  }
}

async function countByState(
  gauge: Metrics["operations"],
  collection: Pick<Store["environments"], "count">,
  states: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(states.map(async (state) => {
    gauge.labels(state).set(await collection.count({ filter: inState(state), signal }));
  }));
}

const inState = (value: string): Filter => ({ op: "=", path: ["state"], value });
