import { type Environment, idOf, type Workload } from "@mpc/domain";
import type { Difference, NamespaceIntent, Provider, ProviderCall } from "../ports/mod.ts";
import { workloadIntentOf } from "./workload_deploy.ts";

/** The differences of the cluster from what was last applied of a resource. */
export function resourceDrift(
  provider: Provider,
  resource: Environment | Workload,
  call: ProviderCall,
): Promise<readonly Difference[]> {
  return "spec" in resource
    ? provider.drift(workloadIntentOf(resource), call)
    : provider.environmentDrift(environmentIntentOf(resource), call);
}

/** The part of an environment's record that is applied to its cluster. */
function environmentIntentOf(
  { name, uid, cluster, labels, quota }: Environment,
): NamespaceIntent {
  return { environment: idOf(name), uid, cluster, labels, quota };
}
