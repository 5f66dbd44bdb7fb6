import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import type { WorldOptions } from "./temporal_world.ts";

/** The Temporal server that the tests of a file share. */
export interface SharedTemporal {
  /** `host:port`. */
  readonly address: string;
  /** A world with its own task queue, so that tests do not run one another's work. */
  ownQueue(): WorldOptions & { readonly config: { readonly taskQueue: string } };
}

/** Starts a Temporal server that is stopped after the last test of the calling file. */
export async function shareTemporal(): Promise<SharedTemporal> {
  const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
  Deno.test.afterAll(() => server.stop());
  let queues = 0;
  return {
    address: server.address,
    ownQueue: () => ({ config: { taskQueue: `mpc-${queues++}` } }),
  };
}
