import type { OperationKind } from "@mpc/domain";
import type { Engine, Provider } from "@mpc/services";
import type { Definition } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { EmbeddedEngine } from "@mpc/worker";
import type { FakeClock } from "./fake_clock.ts";
import type { SeededIds } from "./seeded_ids.ts";

/** An engine, and what tests must know of it beyond its port. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /**
   * Whether there are operations under way, and all of them wait for time to pass. Called when all
   * that is ready has run; an engine of other processes waits here for what those do.
   */
  waits(): Promise<boolean>;
  /** Ends where it stands, as a killed process would. */
  crash(): Promise<void>;
  /** Lets go of what a crash left. */
  close(): Promise<void>;
}

/** Starts an engine on what another one may have left. */
export type NewEngine = (options: {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: FakeClock;
  readonly ids: SeededIds;
  readonly definitions: Readonly<Record<OperationKind, Definition>>;
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
