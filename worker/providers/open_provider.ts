import { join } from "node:path";
import type { ProviderSettings } from "@mpc/process";
import type { Clock, Provider } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { findCluster } from "./find_cluster.ts";
import { DEMO_DELAYS, NO_DELAYS, SimulatedProvider } from "./simulated/mod.ts";

interface Settings extends ProviderSettings {
  /** Null to keep nothing on disk. */
  readonly dataDir: string | null;
}

/**
 * Opens the clusters that a worker manages.
 * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`
 */
export async function openProvider(
  { clusters, charts, simulatedDelays, dataDir }: Settings,
  { store, clock, installation }: {
    readonly store: Store;
    readonly clock: Clock;
    readonly installation: string;
  },
): Promise<Provider> {
  if (clusters.length === 0) {
    return new SimulatedProvider({
      clock,
      delays: simulatedDelays === "demo" ? DEMO_DELAYS : NO_DELAYS,
      statePath: dataDir && join(dataDir, "simulated_cluster.db"),
    });
  }
  const { openCharts, openClusters } = await import("./kubernetes/mod.ts");
  const cacheFolder = dataDir && join(dataDir, "helm");
  return openClusters(clusters, {
    clock,
    installation,
    charts: openCharts(charts, { clock, cacheFolder }),
    findCluster: (ref) => findCluster(store, ref),
  });
}
