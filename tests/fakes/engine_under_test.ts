import type { OperationKind } from "@mpc/domain";
import type { Engine, Provider } from "@mpc/services";
import type { Definition } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { EmbeddedEngine, type StepTools } from "@mpc/worker";
import type { FakeClock } from "./fake_clock.ts";
import type { SeededIds } from "./seeded_ids.ts";

/** An engine, and what tests need to know about it beyond its port. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /**
   * Whether operations are running, and all of them wait for time to pass. Called when everything
   * that is ready has run. An engine with other processes waits here for their work.
   */
  waits(): Promise<boolean>;
  /** Stops at once, like a killed process. */
  crash(): Promise<void>;
  /** Releases what a crash left. */
  close(): Promise<void>;
}

/** Starts an engine on the state that another one may have left. */
export type NewEngine = (options: {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: FakeClock;
  readonly ids: SeededIds;
  readonly definitions: Readonly<Record<OperationKind, Definition>>;
  /** How many steps run at the same time. */
  readonly concurrency?: number;
  readonly onAttempt?: NonNullable<StepTools["onAttempt"]>;
  readonly onRetry?: NonNullable<StepTools["onRetry"]>;
}) => EngineUnderTest;

/** The embedded engine. */
export const embeddedEngine: NewEngine = (options) => {
  const engine = new EmbeddedEngine(options);
  return {
    engine,
    waits: () => Promise.resolve(engine.running > 0),
    crash: () => engine.close(),
    close: () => Promise.resolve(),
  };
};
