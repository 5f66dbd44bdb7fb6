import type { PlannedChange } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Planner, Provider } from "../ports/mod.ts";
import { DEFINITIONS } from "./definitions.ts";

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
  };
}
