import { environmentIdOf, environmentName, type Workload } from "@mpc/domain";
import { type Clock, systemPrincipal, workloadEvent } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";

/**
 * Deletes the record of a workload whose first deployment came too late: its environment was
 * deleted during the admission, and the workload has nothing on the cluster.
 * @returns whether it was such a workload
 * @throws {MpcError} NOT_FOUND or ABORTED if another process has changed it in the meantime
 */
export async function removeStrayWorkload(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  workload: Stored<Workload>,
): Promise<boolean> {
  const { name, currentOperation, lastOperation, activeRevision } = workload.value;
  if (currentOperation !== null || activeRevision > 0) return false;
  const environment = environmentName(environmentIdOf(name));
  if (await store.environments.get(environment)) return false;
  await store.workloads.delete(name, workload.version, {
    events: [workloadEvent(workload, {
      type: "DELETED",
      reason: "Gone",
      message: `Its environment was deleted before it was deployed`,
      operation: lastOperation,
      actor: systemPrincipal("janitor"),
      time: clock.now(),
    })],
  });
  return true;
}
