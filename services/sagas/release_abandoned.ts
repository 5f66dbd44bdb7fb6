import {
  type Environment,
  ENVIRONMENT_MOVES,
  type ErrorRecord,
  type Workload,
  WORKLOAD_MOVES,
} from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { environmentEvent, workloadEvent } from "../resources/resource_events.ts";
import { systemPrincipal } from "../caller.ts";
import { releaseLock } from "./release_lock.ts";
import { moveEnvironment, moveWorkload } from "./move_resource.ts";

/** Lets go of a resource whose operation has gone without doing so: it is marked as failed. */
export async function releaseAbandoned(
  store: Store,
  resource: Environment | Workload,
  error: ErrorRecord,
  now: number,
): Promise<void> {
  const { name: target, uid: targetUid, currentOperation: holder } = resource;
  if (holder === null) return;
  const { message } = error;
  const stamp = { operation: { name: holder, target, targetUid }, now, message };
  const actor = systemPrincipal("janitor");
  const common = { store, target, holder, actor, message, reason: "Released", now };
  if ("spec" in resource) {
    await releaseLock({
      ...common,
      collection: store.workloads,
      settle: (workload) => {
        const state = WORKLOAD_MOVES[workload.state].find((s) => s.endsWith("FAILED"));
        return state ? moveWorkload(workload, state, stamp) : workload;
      },
      eventOf: workloadEvent,
    });
  } else {
    await releaseLock({
      ...common,
      collection: store.environments,
      settle: (environment) => {
        const state = ENVIRONMENT_MOVES[environment.state].find((s) => s.endsWith("FAILED"));
        return state ? moveEnvironment(environment, state, stamp) : environment;
      },
      eventOf: environmentEvent,
    });
  }
}
