/** Renders environments and workloads to Kubernetes objects, in the order of applying. Pure. */
export type { KubernetesObject } from "../client/kube_object.ts";
export { inApplyOrder } from "./apply_order.ts";
export {
  renderNamespace,
  renderPolicies,
  RESTRICTED_PODS,
  roleBinding,
  SERVICE_ACCOUNT,
  type Subject,
} from "./environment_objects.ts";
export {
  claimOf,
  CLAIMS,
  ENV_CHECKSUM,
  ENVIRONMENT,
  INSTALLATION,
  installedBy,
  KIND_HISTORY,
  MANAGED_BY,
  MANAGER,
  RESTART_TOKEN,
  REVISION,
  TRACEPARENT,
  UID,
  WORKLOAD,
  workloadLabels,
} from "./metadata.ts";
export { renderWorkload } from "./render_workload.ts";
export { admitIngressController } from "./workload_network.ts";
