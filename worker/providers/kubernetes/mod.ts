/** Kubernetes clusters as a provider. */
export { HttpKubeClient } from "./client/http_kube_client.ts";
export type { EndedRequest } from "./client/requester.ts";
export { ClusterRegistry } from "./cluster_registry.ts";
export { KubernetesProvider } from "./kubernetes_provider.ts";
export { NamespaceMark } from "./namespace_mark.ts";
export { type DecorateClient, openCharts, openClusters } from "./open_clusters.ts";
