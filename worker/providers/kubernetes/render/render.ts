/** Objects of the cluster made from what is asked for: pure, in the order of applying. */
import { MpcError } from "@mpc/domain";
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import { autoscaler } from "./autoscaler.ts";
import { deployment } from "./deployment.ts";
import { disruptionBudget } from "./disruption_budget.ts";
import { envSecret } from "./env_secret.ts";
import { ingress } from "./ingress.ts";
import { ingressPolicy } from "./ingress_policy.ts";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { limitRange } from "./limit_range.ts";
import { namespace } from "./namespace.ts";
import { networkPolicies } from "./network_policies.ts";
import { inApplyOrder } from "./order.ts";
import { resourceQuota } from "./resource_quota.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./service_account.ts";
import { storageClaims } from "./storage_claims.ts";

/** The namespace of an environment. */
export function renderNamespace(intent: NamespaceIntent): readonly KubernetesObject[] {
  return [namespace(intent)];
}

/** Quota, limits, network policies and the service account of an environment. */
export function renderPolicies(intent: NamespaceIntent): readonly KubernetesObject[] {
  return inApplyOrder([
    ...networkPolicies(intent),
    resourceQuota(intent),
    limitRange(intent),
    serviceAccount(intent),
  ]);
}

/**
 * Everything of a workload that is an image.
 * @throws {MpcError} FAILED_PRECONDITION `CHARTS_UNSUPPORTED`: it is a chart, which Helm renders
 */
export function renderWorkload(intent: WorkloadIntent): readonly KubernetesObject[] {
  const { workload, spec: { chart } } = intent;
  if (chart !== null) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "CHARTS_UNSUPPORTED",
      message:
        `Cannot render '${workload}' of chart '${chart.name}': this cluster renders no charts; name an image, or give its worker helm`,
      metadata: { workload, chart: chart.name },
    });
  }
  const objects = [
    envSecret(intent),
    ...storageClaims(intent),
    deployment(intent),
    service(intent),
    ingress(intent),
    ingressPolicy(intent),
    autoscaler(intent),
    disruptionBudget(intent),
  ];
  return inApplyOrder(objects.filter((object) => object !== undefined));
}
