import type { Provider, ServiceDeps } from "@mpc/services";
import { DriftWatch } from "./drift_watch.ts";
import type { HostedEngine } from "./engine/hosted_engine.ts";
import { Expiry } from "./expiry.ts";
import { Janitor } from "./janitor.ts";
import { Retention } from "./retention.ts";

const JANITOR_INTERVAL_MS = 30_000;
const DRIFT_INTERVAL_MS = 300_000;
const RETENTION_INTERVAL_MS = 600_000;

/** By a schedule, each pass sees to the moments until the next one. */
const EXPIRY_INTERVAL_MS = 10_000;

export interface HousekeepingOptions {
  readonly deps: ServiceDeps;
  readonly provider: Provider;
  readonly engine: Omit<HostedEngine, "problem">;
  /** How long history is kept; null for ever. */
  readonly keepMs: number | null;
  /** Nobody can be admitting yet: what is not admitted was cut off. */
  readonly alone: boolean;
}

/**
 * Begins what is done again and again: the janitor, expiry, the look for drift and the end of what
 * is kept; by timers of this process, or by the engine's where it shares them among workers.
 */
export async function startHousekeeping(options: HousekeepingOptions): Promise<AsyncDisposable> {
  const { deps, provider, engine, keepMs, alone } = options;
  const { store, clock } = deps;
  const janitor = new Janitor({ store, engine, provider, clock, intervalMs: JANITOR_INTERVAL_MS });
  const drift = new DriftWatch({ store, provider, clock, intervalMs: DRIFT_INTERVAL_MS });
  const expiry = new Expiry(deps);
  const retention = keepMs === null
    ? undefined
    : new Retention({ store, clock, keepMs, intervalMs: RETENTION_INTERVAL_MS });
  if (alone) await janitor.pass(0);
  if (engine.repeat) {
    await engine.repeat([
      { name: "janitor_pass", everyMs: JANITOR_INTERVAL_MS, run: () => janitor.pass() },
      { name: "drift_pass", everyMs: DRIFT_INTERVAL_MS, run: () => drift.pass() },
      {
        name: "expiry_pass",
        everyMs: EXPIRY_INTERVAL_MS,
        run: () => expiry.passesWithin(EXPIRY_INTERVAL_MS),
      },
      {
        name: "retention_pass",
        everyMs: RETENTION_INTERVAL_MS,
        run: async () => await retention?.pass(),
      },
    ]);
  } else {
    janitor.start();
    drift.start();
    retention?.start();
    await expiry.start();
  }
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([expiry, drift, janitor, retention].map((each) => each?.close()));
    },
  };
}
