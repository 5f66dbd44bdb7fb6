import type { Residue } from "@mpc/domain";
import type { ProviderCall } from "@mpc/services";
import { goneTime, type SimulatedObject } from "./cluster_state.ts";
import { behaviourOf } from "./behaviour.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";

/**
 * Waits until objects are gone, and tells what holds them.
 * @param left those that are still there; undefined when nothing is to be waited for any more
 */
export async function awaitGone(
  cluster: SimulatedCluster,
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
  left: () => readonly SimulatedObject[] | undefined,
): Promise<void> {
  let told: string | undefined;
  for (;;) {
    const changed = cluster.changed;
    const objects = left();
    if (!objects) return;
    const blockers = objects.flatMap((object) => blockersOf(object));
    const key = JSON.stringify(blockers);
    if (key !== told) {
      told = key;
      call.onBlocked?.(blockers);
    }
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
