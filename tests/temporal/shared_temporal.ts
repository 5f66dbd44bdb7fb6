import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import type { WorldOptions } from "./temporal_world.ts";

/** The Temporal server that the tests of a file share. */
export interface SharedTemporal {
  /** `host:port`. */
  readonly address: string;
  /** A world with a task queue of its own, so that no test works for another. */
  ownQueue(): WorldOptions & { readonly config: { readonly taskQueue: string } };
}

/** Starts a Temporal that ends with the last test of the file that calls this. */
export async function shareTemporal(): Promise<SharedTemporal> {
  const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
  Deno.test.afterAll(() => server.stop());
  let queues = 0;
  return {
    address: server.address,
    ownQueue: () => ({ config: { taskQueue: `mpc-${queues++}` } }),
  };
}
