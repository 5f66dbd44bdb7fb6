import {
  type Environment,
  ENVIRONMENT_MOVES,
  type ErrorRecord,
  type Workload,
  WORKLOAD_MOVES,
} from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { environmentEvent, workloadEvent } from "../resource_events.ts";
import { updateDocument } from "../update_document.ts";
import { moveEnvironment, moveWorkload } from "./resource_moves.ts";

/** Lets go of a resource whose operation has gone without doing so: it is marked as failed. */
export async function releaseAbandoned(
  store: Store,
  resource: Environment | Workload,
  error: ErrorRecord,
  now: number,
): Promise<void> {
  const { name, currentOperation: holder } = resource;
  const stamp = {
    operation: { name: holder ?? "", target: name, targetUid: resource.uid },
    now,
    message: error.message,
  };
  const event = {
    reason: "Released",
    message: error.message,
    operation: holder,
    actor: "system:janitor",
    time: now,
  };
  const unlocked = { currentOperation: null, nextOperation: null, lastOperation: holder };
  if ("spec" in resource) {
    await updateDocument(store.workloads, name, undefined, (workload) => {
      if (workload.currentOperation !== holder) return undefined;
      const state = WORKLOAD_MOVES[workload.state].find((s) => s.endsWith("FAILED"));
      const value = state ? moveWorkload(workload, state, stamp) : workload;
      return { value: { ...value, ...unlocked }, event };
    }, workloadEvent);
  } else {
    await updateDocument(store.environments, name, undefined, (environment) => {
      if (environment.currentOperation !== holder) return undefined;
      const state = ENVIRONMENT_MOVES[environment.state].find((s) => s.endsWith("FAILED"));
      const value = state ? moveEnvironment(environment, state, stamp) : environment;
      return { value: { ...value, ...unlocked }, event };
    }, environmentEvent);
  }
}
