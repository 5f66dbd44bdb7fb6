/** What is asked for, as objects of a Kubernetes cluster. */
export type { KubernetesObject } from "./kubernetes_object.ts";
export * from "./labels.ts";
export { inApplyOrder } from "./order.ts";
export { renderNamespace, renderPolicies, renderWorkload } from "./render.ts";
