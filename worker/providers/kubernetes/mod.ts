/** Kubernetes clusters. */
export type { ClusterAccess } from "./client/credentials.ts";
export { HttpKubeClient, type HttpKubeClientOptions } from "./client/http_kube_client.ts";
export type { KubeClient } from "./client/kube_client.ts";
export { ClusterRegistry, type ClusterRegistryOptions } from "./cluster_registry.ts";
export { openCharts } from "./open_charts.ts";
export { KubernetesProvider, type KubernetesProviderOptions } from "./kubernetes_provider.ts";
export { openClusters } from "./open_clusters.ts";
