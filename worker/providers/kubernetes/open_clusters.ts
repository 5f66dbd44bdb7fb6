/** Opens clusters and charts from the settings of a process. */
import type { ChartSettings, ClusterSettings } from "@mpc/process";
import type { Clock, Ids } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { claimedProvider } from "../claimed_provider.ts";
import { ClusterClaims } from "../cluster_claims.ts";
import { assertKubeconfig } from "./client/credentials.ts";
import { HttpKubeClient, type HttpKubeClientOptions } from "./client/http_kube_client.ts";
import type { KubeClient } from "./client/kube_client.ts";
import type { ObjectKind } from "./client/kube_object.ts";
import { DEFAULT_LIMITS } from "./client/requester.ts";
import { ClusterRegistry, type ClusterRegistryOptions } from "./cluster_registry.ts";
import { DEFAULT_HELM_OPTIONS, HelmCharts } from "./helm/mod.ts";
import { KubernetesProvider } from "./kubernetes_provider.ts";
import { NamespaceMark } from "./namespace_mark.ts";

/** The burst of requests after a pause, in seconds of the sustained rate. */
const BURST_SECONDS = 3;

/** The tokens of callers that a cluster is asked about. */
const REVIEW_RATE = { perSecond: 20, burst: 60 };

export interface OpenClustersOptions {
  readonly store: Pick<Store, "claims">;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The id of this control plane. */
  readonly installation: string;
  /** Renders charts; null if charts are rejected. */
  readonly charts: HelmCharts | null;
  readonly findCluster: ClusterRegistryOptions["findCluster"];
  readonly decorate?: DecorateClient | undefined;
  readonly onRequest?: HttpKubeClientOptions["onRequest"];
}

/** Decorates the client of a cluster; what it returns behaves the same. */
export type DecorateClient = (client: KubeClient) => KubeClient;

/**
 * Makes no request before the first use of a cluster.
 * @throws {MpcError} FAILED_PRECONDITION `KUBECONFIG_UNUSABLE`, for instance for a missing context
 */
export async function openClusters(
  settings: readonly ClusterSettings[],
  { store, clock, ids, installation, charts, findCluster, decorate = (it) => it, onRequest }:
    OpenClustersOptions,
): Promise<ClusterRegistry> {
  for (const { name, kubeconfig, context } of settings) {
    await assertKubeconfig({ cluster: name, kubeconfig, context });
  }
  const clients = settings.map(({ name, kubeconfig, context, requestsPerSecond }) => {
    const rate = { perSecond: requestsPerSecond, burst: BURST_SECONDS * requestsPerSecond };
    const access = { cluster: name, kubeconfig, context };
    const limits = { ...DEFAULT_LIMITS, rate };
    // Whoever sends tokens must not slow operations down.
    const reviews = new HttpKubeClient({
      access,
      clock,
      limits: { ...DEFAULT_LIMITS, rate: REVIEW_RATE },
      onRequest,
    });
    const client = decorate(new HttpKubeClient({ access, clock, limits, onRequest }));
    return { name, client, reviews };
  });
  const claims = new ClusterClaims({
    store,
    clock,
    ids,
    marks: new Map(
      clients.map(({ name, client }) => [name, new NamespaceMark(client, installation)]),
    ),
  });
  const clusters = clients.map(({ name, client, reviews }) => {
    const provider = new KubernetesProvider({ client, reviews, clock, installation, charts });
    return [name, claimedProvider(provider, name, claims)] as const;
  });
  return new ClusterRegistry({ clusters: new Map(clusters), findCluster, clock, claims });
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
