import { type Environment, isMpcError, type Workload } from "@mpc/domain";
import { allOf } from "./all_of.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import type { ClusterObject } from "./ports.ts";

/**
 * Has objects that no record knows removed: they are noted as orphans, and the janitor sweeps those.
 * @returns names of the resources that they once belonged to
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE`
 */
export async function sweepObjects(deps: ServiceDeps, caller: Caller): Promise<readonly string[]> {
  const { store, cluster, clock } = deps;
  const { signal } = caller;
  const objects = await cluster.inventory({ signal });
  // Records are read after the objects: what was created meanwhile has one.
  const resources = [
    ...await allOf(store.environments, signal),
    ...await allOf(store.workloads, signal),
  ];
  const lost = Map.groupBy(unknownObjects(resources, objects), ({ targetUid }) => targetUid);
  const targets: string[] = [];
  for (const [targetUid, [first, ...rest]] of lost) {
    if (!first) continue;
    try {
      await store.orphans.create({
        name: `orphans/${targetUid}`,
        target: first.target,
        targetUid,
        objects: [first, ...rest].map(({ object }) => object),
        operation: "",
        createTime: clock.now(),
      }, { signal });
    } catch (error) {
      // It is noted already, and waits to be swept.
      if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
    }
    targets.push(first.target);
  }
  return targets;
}

/** Objects whose owner has no record. */
export function unknownObjects(
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
): readonly ClusterObject[] {
  const uids = new Set(resources.map(({ uid }) => uid));
  return objects.filter(({ targetUid }) => !uids.has(targetUid));
}
