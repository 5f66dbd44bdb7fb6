import type { Clock, Provider, ServiceDeps } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { AuditRetention } from "./audit_retention.ts";
import { DriftWatch } from "./drift_watch.ts";
import type { HostedEngine, PeriodicTask } from "../engine/hosted_engine.ts";
import type { EngineLease } from "../engine/embedded/mod.ts";
import { Expiry } from "./expiry.ts";
import { FencedPasses } from "./fenced_passes.ts";
import { HeldLease } from "./hold_lease.ts";
import { type HousekeepingObserver, UNOBSERVED } from "./housekeeping_observer.ts";
import { Janitor } from "./janitor.ts";
import { RENEW_MS } from "../providers/cluster_claims.ts";
import { repeatPass } from "./repeat_pass.ts";
import { Retention } from "./retention.ts";

const JANITOR_INTERVAL_MS = 30_000;
const DRIFT_INTERVAL_MS = 300_000;
/** Each pass reads the wall clock, which may have been set forward. */
const RETENTION_INTERVAL_MS = 60_000;

/** With a schedule, each pass covers the time until the next one. */
const EXPIRY_INTERVAL_MS = 10_000;

export interface HousekeepingOptions {
  readonly deps: ServiceDeps;
  readonly provider: Provider;
  readonly engine: HostedEngine;
  /** How long history is kept; null to keep all of it. */
  readonly keepMs: number | null;
  /** The same of the audit. */
  readonly auditKeepMs: number | null;
  /** No other process can be admitting yet, so every unadmitted operation was interrupted. */
  readonly alone: boolean;
  /** Of the engine, if it has one: the process that runs operations makes the passes too. */
  readonly lease?: EngineLease;
  readonly observer?: HousekeepingObserver | undefined;
}

/**
 * Starts the periodic passes: claims, janitor, expiry, drift and retention. They run on timers of this
 * process, or on the engine's schedules if the engine shares them among workers. Where several
 * processes have timers, the one that holds a lease makes the passes.
 */
export async function startHousekeeping(options: HousekeepingOptions): Promise<AsyncDisposable> {
  const { deps, provider, engine, keepMs, auditKeepMs, alone, observer = UNOBSERVED } = options;
  const { store, clock } = deps;
  const stop = new AbortController();
  const { signal } = stop;
  // Engines that share the passes run each of them once.
  const own = alone || engine.repeat || options.lease
    ? null
    : new HeldLease({ store, clock, ids: deps.ids, what: "housekeeping" });
  await own?.start();
  const lease = options.lease ?? own ?? undefined;
  const task = (
    name: string,
    everyMs: number,
    passOver: (store: Store, beforeDelete: () => Promise<void>) => () => Promise<void>,
  ): PeriodicTask => {
    const fenced = new FencedPasses(store, engine.repeat ? undefined : lease);
    const run = passOver(fenced.store, () => fenced.assertHeld());
    const pass = observed(name, run, { clock, observer });
    return { name, everyMs, run: () => fenced.run(pass) };
  };
  const common = { engine, provider, clock, signal, observer };
  const expiry = new Expiry(deps, observer);
  if (alone) await new Janitor({ ...common, store }).pass(0);
  const passes: readonly PeriodicTask[] = [
    task("janitor_pass", JANITOR_INTERVAL_MS, (store, beforeDelete) => {
      const janitor = new Janitor({ ...common, store, beforeDelete });
      return () => janitor.pass();
    }),
    task("drift_pass", DRIFT_INTERVAL_MS, (store) => {
      const drift = new DriftWatch({ ...common, store });
      return () => drift.pass();
    }),
    task("retention_pass", RETENTION_INTERVAL_MS, (store) => {
      const history = keepMs === null ? null : new Retention({ ...common, store, keepMs });
      const audit = auditKeepMs === null
        ? null
        : new AuditRetention({ ...common, store, keepMs: auditKeepMs });
      return async () => {
        await history?.pass();
        await audit?.pass();
      };
    }),
  ];
  // Each process keeps its own claims, whatever runs the other passes.
  const claims = {
    name: "claim_pass",
    everyMs: RENEW_MS,
    run: () => renewClaims(provider, signal),
  };
  let running = [claims.run().then(() => repeatPass(claims, { clock, signal }))];
  if (engine.repeat) {
    const run = () => expiry.passesWithin(EXPIRY_INTERVAL_MS);
    await engine.repeat([...passes, { name: "expiry_pass", everyMs: EXPIRY_INTERVAL_MS, run }]);
  } else {
    await expiry.start();
    running = [...running, ...passes.map((pass) => repeatPass(pass, { clock, signal }))];
  }
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([expiry.close(), ...running]);
      await own?.[Symbol.asyncDispose]();
    },
  };
}

/** Reports how passes end. */
function observed(
  name: string,
  pass: () => Promise<void>,
  { clock, observer }: { readonly clock: Clock; readonly observer: HousekeepingObserver },
): () => Promise<void> {
  return async () => {
    const began = clock.monotonic();
    let failed = true;
    try {
      await pass();
      failed = false;
    } finally {
      observer.ended(name, { failed, durationMs: clock.monotonic() - began });
    }
  };
}

async function renewClaims({ claims }: Provider, signal: AbortSignal): Promise<void> {
  try {
    await claims?.renew({ signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
