import type { ClusterSettings } from "@mpc/process";
import type { Clock } from "@mpc/services";
import { HttpKubeClient } from "./client/http_kube_client.ts";
import { DEFAULT_LIMITS } from "./client/requester.ts";
import { ClusterRegistry, type ClusterRegistryOptions } from "./cluster_registry.ts";
import type { HelmCharts } from "./helm/mod.ts";
import { KubernetesProvider } from "./kubernetes_provider.ts";

/** So many requests may come at once: that of a moment's rate. */
const BURST_SECONDS = 3;

export interface OpenClustersOptions {
  readonly clock: Clock;
  /** Renders workloads that are charts; null where they are refused. */
  readonly charts: HelmCharts | null;
  readonly find: ClusterRegistryOptions["find"];
}

/** Opens clusters by their names; nothing is read and nobody is called before the first use. */
export function openClusters(
  settings: readonly ClusterSettings[],
  { clock, charts, find }: OpenClustersOptions,
): ClusterRegistry {
  const clusters = settings.map(({ name, kubeconfig, context, requestsPerSecond }) => {
    const rate = { perSecond: requestsPerSecond, burst: BURST_SECONDS * requestsPerSecond };
    const client = new HttpKubeClient({
      access: { cluster: name, kubeconfig, context },
      clock,
      limits: { ...DEFAULT_LIMITS, rate },
    });
    return [name, new KubernetesProvider({ client, clock, charts })] as const;
  });
  return new ClusterRegistry({ clusters: new Map(clusters), find, clock });
}
