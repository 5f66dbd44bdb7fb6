import { environmentName, workloadName } from "@mpc/domain";
import type { Ref, WorkloadRef } from "@mpc/services";
import type { Store } from "@mpc/storage";

/** Identifies an environment or a workload by name, and if given by uid. */
export type Placed = Pick<Ref, "environment"> & Partial<Ref & WorkloadRef>;

/**
 * The cluster of an environment or a workload, from its record. Undefined without a record with this
 * uid; leftovers may then be on any cluster.
 */
export async function findCluster(
  store: Pick<Store, "environments" | "workloads">,
  { environment, workload, uid }: Placed,
): Promise<string | undefined> {
  const found = (await store.environments.get(environmentName(environment)))?.value;
  if (!found || uid === undefined) return found?.cluster;
  if (workload === undefined) return found.uid === uid ? found.cluster : undefined;
  const inside = await store.workloads.get(workloadName(environment, workload));
  return inside?.value.uid === uid ? found.cluster : undefined;
}
