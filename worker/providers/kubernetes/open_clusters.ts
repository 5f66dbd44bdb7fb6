/** Opens clusters and charts from the settings of a process. */
import type { ChartSettings, ClusterSettings } from "@mpc/process";
import type { Clock } from "@mpc/services";
import { assertKubeconfig } from "./client/credentials.ts";
import { HttpKubeClient } from "./client/http_kube_client.ts";
import type { ObjectKind } from "./client/kube_object.ts";
import { DEFAULT_LIMITS } from "./client/requester.ts";
import { ClusterRegistry, type ClusterRegistryOptions } from "./cluster_registry.ts";
import { DEFAULT_HELM_OPTIONS, HelmCharts } from "./helm/mod.ts";
import { KubernetesProvider } from "./kubernetes_provider.ts";

/** The burst of requests after a pause, in seconds of the sustained rate. */
const BURST_SECONDS = 3;

export interface OpenClustersOptions {
  readonly clock: Clock;
  /** The id of this control plane. */
  readonly installation: string;
  /** Renders charts; null if charts are rejected. */
  readonly charts: HelmCharts | null;
  readonly findCluster: ClusterRegistryOptions["findCluster"];
}

/**
 * Makes no request before the first use of a cluster.
 * @throws {MpcError} FAILED_PRECONDITION `KUBECONFIG_UNUSABLE`, for instance for a missing context
 */
export async function openClusters(
  settings: readonly ClusterSettings[],
  { clock, installation, charts, findCluster }: OpenClustersOptions,
): Promise<ClusterRegistry> {
  for (const { name, kubeconfig, context } of settings) {
    await assertKubeconfig({ cluster: name, kubeconfig, context });
  }
  const clusters = settings.map(({ name, kubeconfig, context, requestsPerSecond }) => {
    const rate = { perSecond: requestsPerSecond, burst: BURST_SECONDS * requestsPerSecond };
    const client = new HttpKubeClient({
      access: { cluster: name, kubeconfig, context },
      clock,
      limits: { ...DEFAULT_LIMITS, rate },
    });
    return [name, new KubernetesProvider({ client, clock, installation, charts })] as const;
  });
  return new ClusterRegistry({ clusters: new Map(clusters), findCluster, clock });
}

/** @param cacheFolder where helm caches charts from registries; null to keep nothing */
export function openCharts(
  settings: ChartSettings,
  { clock, cacheFolder }: { readonly clock: Clock; readonly cacheFolder: string | null },
): HelmCharts {
  const options = {
    ...DEFAULT_HELM_OPTIONS,
    ...settings,
    cacheFolder,
    allowedKinds: settings.allowedKinds.map(toKind),
    allowedClusterKinds: settings.allowedClusterKinds.map(toKind),
  };
  return new HelmCharts({ options, clock });
}

/** `apps/v1/Deployment` is the kind `Deployment` in `apps/v1`. */
function toKind(text: string): ObjectKind {
  const slash = text.lastIndexOf("/");
  return { apiVersion: text.slice(0, slash), kind: text.slice(slash + 1) };
}
