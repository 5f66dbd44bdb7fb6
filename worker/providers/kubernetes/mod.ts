/** Kubernetes clusters. */
export { HttpKubeClient } from "./client/http_kube_client.ts";
export { ClusterRegistry } from "./cluster_registry.ts";
export { openCharts } from "./open_charts.ts";
export { KubernetesProvider } from "./kubernetes_provider.ts";
export { openClusters } from "./open_clusters.ts";
