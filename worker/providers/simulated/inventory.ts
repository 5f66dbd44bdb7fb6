import { DEFAULT_CLUSTER, environmentName, workloadName } from "@mpc/domain";
import type { ClusterObject } from "@mpc/services";
import type { SimulatedObject } from "./cluster_state.ts";
import { renderNamespace, renderPolicies, renderWorkload } from "./render.ts";

/** The objects of the cluster that a namespace or a workload stands for. */
export function objectsOf(object: SimulatedObject): readonly ClusterObject[] {
  const cluster = DEFAULT_CLUSTER;
  const { environment, uid } = object.intent;
  if (object.kind === "namespace") {
    const target = environmentName(environment);
    const rendered = [
      ...renderNamespace(object.intent).keys(),
      ...(object.policies ? renderPolicies(object.policies).keys() : []),
    ];
    return rendered.map((name) => ({ cluster, object: name, target, targetUid: uid, revision: 0 }));
  }
  const { workload, revision } = object.intent;
  const target = workloadName(environment, workload);
  return [...renderWorkload(object.intent).keys()].map((name) => ({
    cluster,
    object: name,
    target,
    targetUid: uid,
    revision: name.startsWith("Deployment/") ? revision : 0,
  }));
}
