import { environmentIdOf, environmentName, idOf, isMpcError, type Workload } from "@mpc/domain";
import type { StepContext } from "./step.ts";

/** A resource whose record is deleted without waiting for the cluster. */
export interface Abandoned {
  /** Name of the resource. */
  readonly name: string;
  readonly uid: string;
  /** Objects as `Kind/namespace/name`, as far as they are known. */
  readonly objects: readonly string[];
}

/** Records what an abandoned resource leaves on the cluster, for the janitor to sweep. */
export async function recordOrphan(context: StepContext, abandoned: Abandoned): Promise<void> {
  const { store, signal, operation, now } = context;
  const environmentOf = environmentName(environmentIdOf(abandoned.name));
  const environment = await store.environments.get(environmentOf, { signal });
  try {
    await store.orphans.create({
      name: `orphans/${abandoned.uid}`,
      target: abandoned.name,
      targetUid: abandoned.uid,
      ...(environment && { cluster: environment.value.cluster }),
      objects: abandoned.objects,
      operation,
      createTime: now(),
    }, { signal });
  } catch (error) {
    // An earlier attempt, or an earlier abandon of the same resource, has recorded it.
    if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
  }
}

/** The objects that a workload may leave. */
export function abandonedWorkload({ name, uid }: Pick<Workload, "name" | "uid">): Abandoned {
  const path = `${environmentIdOf(name)}/${idOf(name)}`;
  return { name, uid, objects: [`Deployment/${path}`, `Service/${path}`] };
}
