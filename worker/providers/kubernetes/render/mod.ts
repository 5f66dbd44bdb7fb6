/** What is asked for, as objects of a Kubernetes cluster. */
export type { KubernetesObject, ObjectMeta } from "./kubernetes_object.ts";
export * from "./labels.ts";
export { APPLY_ORDER, inApplyOrder } from "./order.ts";
export { renderNamespace, renderPolicies, renderWorkload } from "./render.ts";
