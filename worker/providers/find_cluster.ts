import { environmentName, workloadName } from "@mpc/domain";
import type { Ref, WorkloadRef } from "@mpc/services";
import type { Store } from "@mpc/storage";

/** What a cluster is looked up by: without a uid, whatever has the name. */
export type Placed = Pick<Ref, "environment"> & Partial<Ref & WorkloadRef>;

/**
 * The name of the cluster that carries an environment or a workload; undefined where there is no
 * record of it with that uid: what it left may be on any.
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
