import { join } from "node:path";
import type { Clock, Provider } from "@mpc/services";
import type { WorkerConfig } from "./config.ts";
import { DEMO_DELAYS, NO_DELAYS, SimulatedProvider } from "./providers/simulated/mod.ts";

/**
 * Opens the cluster that a worker works on.
 * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`
 */
export function openProvider(config: WorkerConfig, clock: Clock): Provider {
  switch (config.cluster) {
    case "simulated":
      return new SimulatedProvider({
        clock,
        delays: config.simulatedDelays === "demo" ? DEMO_DELAYS : NO_DELAYS,
        statePath: join(config.dataDir, "simulated_cluster.db"),
      });
  }
}
