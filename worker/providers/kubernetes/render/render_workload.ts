import { MpcError } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import { inApplyOrder } from "./apply_order.ts";
import { autoscaler, disruptionBudget } from "./autoscaler_and_budget.ts";
import { deployment } from "./deployment.ts";
import { envSecret } from "./env_secret.ts";
import { storageClaims } from "./volumes.ts";
import { ingress, ingressPolicy, service } from "./workload_network.ts";

/**
 * All objects of a workload that runs an image.
 * @throws {MpcError} FAILED_PRECONDITION `CHARTS_UNSUPPORTED` for a chart, which Helm renders
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
