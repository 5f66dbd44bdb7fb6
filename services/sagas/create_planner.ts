import { parseName, type PlannedChange } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Planner, Provider } from "../ports/mod.ts";
import { isApplied } from "../resources/is_applied.ts";
import { DEFINITIONS } from "./definitions.ts";
import { resourceDrift } from "./resource_drift.ts";

/** Plans by asking each step, in order, what it would change. */
export function createPlanner(store: Store, provider: Provider): Planner {
  return {
    async changes(kind, target, input, signal) {
      const changes: PlannedChange[] = [];
      for (const step of DEFINITIONS[kind].steps) {
        if (!step.plan) continue;
        changes.push(...await step.plan({ signal, store, provider, target }, input));
      }
      return changes;
    },
    async drift(target, signal) {
      const collection = parseName(target)?.kind === "environment"
        ? store.environments
        : store.workloads;
      const found = (await collection.get(target, { signal }))?.value;
      return found && isApplied(found) ? await resourceDrift(provider, found, { signal }) : [];
    },
  };
}
