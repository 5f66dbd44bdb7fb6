import type { Residue } from "@mpc/domain";
import type { ProviderCall } from "@mpc/services";
import { reportChanges } from "../report_changes.ts";
import { goneTime, type SimulatedObject } from "./simulated_objects.ts";
import { behaviourOf } from "./image_behaviour.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";

/**
 * Waits for the deletion of objects, and reports what blocks it.
 * @param remaining returns the objects that still exist; undefined ends the wait
 */
export async function awaitDeletion(
  cluster: SimulatedCluster,
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
  remaining: () => readonly SimulatedObject[] | undefined,
): Promise<void> {
  const report = reportChanges(call.onBlocked);
  for (;;) {
    const changed = cluster.changed;
    const objects = remaining();
    if (!objects) return;
    report(objects.flatMap((object) => blockersOf(object)));
    const times = objects.map((object) => goneTime(object, cluster.delays) ?? Infinity);
    const next = Math.max(...times);
    await cluster.sleepUntil(next === Infinity ? undefined : next, call.signal, changed);
  }
}

function blockersOf(object: SimulatedObject): readonly Residue[] {
  if (object.kind !== "workload" || object.deleteTime === null) return [];
  if (behaviourOf(object.intent.spec) !== "sticky") return [];
  const path = `${object.intent.environment}/${object.intent.workload}`;
  return [{
    object: `Deployment/${path}`,
    reason: "finalizer simulated/sticky",
    remedy: `mpctl workload delete ${object.intent.workload} --env ${object.intent.environment}`,
  }];
}
