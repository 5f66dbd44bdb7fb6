import { join } from "node:path";
import { DEFAULT_CLUSTER, environmentName, workloadName } from "@mpc/domain";
import type { ProviderSettings } from "@mpc/process";
import type { Clock, Ids, Provider, Ref, WorkloadRef } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { DecorateClient, EndedRequest } from "./kubernetes/mod.ts";
import { claimedProvider } from "./claimed_provider.ts";
import { ClusterClaims } from "./cluster_claims.ts";
import { DEMO_DELAYS, NO_DELAYS, SimulatedProvider } from "./simulated/mod.ts";

interface Settings extends ProviderSettings {
  /** Null to keep nothing on disk. */
  readonly dataDir: string | null;
}

/**
 * Opens the clusters that a worker manages.
 * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`, `KUBECONFIG_UNUSABLE`
 */
export async function openProvider(
  { clusters, charts, simulatedDelays, dataDir }: Settings,
  { store, clock, ids, installation, decorate, onRequest }: {
    readonly store: Store;
    readonly clock: Clock;
    readonly ids: Ids;
    readonly installation: string;
    /** Decorates the client of each Kubernetes cluster. */
    readonly decorate?: DecorateClient | undefined;
    /** Called at the end of each request to a cluster; must not throw. */
    readonly onRequest?: ((request: EndedRequest) => void) | undefined;
  },
): Promise<Provider> {
  if (clusters.length === 0) {
    const simulated = new SimulatedProvider({
      clock,
      delays: simulatedDelays === "demo" ? DEMO_DELAYS : NO_DELAYS,
      statePath: dataDir && join(dataDir, "simulated_cluster.db"),
    });
    const marks = new Map([[DEFAULT_CLUSTER, simulated.mark]]);
    const claims = new ClusterClaims({ store, clock, ids, marks });
    return claimedProvider(simulated, DEFAULT_CLUSTER, claims);
  }
  const { openCharts, openClusters } = await import("./kubernetes/mod.ts");
  const cacheFolder = dataDir && join(dataDir, "helm");
  return await openClusters(clusters, {
    store,
    clock,
    ids,
    installation,
    decorate,
    charts: openCharts(charts, { clock, cacheFolder }),
    findCluster: (ref) => findCluster(store, ref),
    onRequest,
  });
}

/** Identifies an environment or a workload by name, and if given by uid. */
type Placed = Pick<Ref, "environment"> & Partial<Ref & WorkloadRef>;

/**
 * The cluster of an environment or a workload, from its record. Undefined without a record with this
 * uid; leftovers may then be on any cluster.
 */
async function findCluster(
  store: Pick<Store, "environments" | "workloads">,
  { environment, workload, uid }: Placed,
): Promise<string | undefined> {
  const found = (await store.environments.get(environmentName(environment)))?.value;
  if (!found || uid === undefined) return found?.cluster;
  if (workload === undefined) return found.uid === uid ? found.cluster : undefined;
  const inside = await store.workloads.get(workloadName(environment, workload));
  return inside?.value.uid === uid ? found.cluster : undefined;
}
