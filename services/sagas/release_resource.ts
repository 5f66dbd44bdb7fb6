import type { Operation } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { environmentEvent, workloadEvent } from "../resources/resource_events.ts";
import { DEFINITIONS } from "./definitions.ts";
import { releaseLock } from "./release_lock.ts";
import type { Outcome } from "./orchestrate.ts";

/**
 * Gives an operation's resource its final state and lets go of it. Does nothing where the
 * operation does not hold its resource (any more).
 */
export async function releaseResource(
  store: Store,
  operation: Operation,
  outcome: Pick<Outcome, "state" | "error">,
  now: number,
): Promise<void> {
  const definition = DEFINITIONS[operation.kind];
  const { target, name: holder, actor, input } = operation;
  const why = outcome.error?.message ?? (outcome.state === "CANCELLED" ? "Cancelled" : "");
  const outputs = Object.fromEntries(operation.steps.map(({ name, output }) => [name, output]));
  const stamp = { operation, now, message: why, outputs };
  const message = `${operation.kind} ended ${outcome.state}`;
  const common = { store, target, holder, actor, message, now };
  if (definition.resource === "environment") {
    await releaseLock({
      ...common,
      collection: store.environments,
      settle: (current) => definition.settle(current, input, outcome.state, stamp),
      eventOf: environmentEvent,
    });
  } else {
    await releaseLock({
      ...common,
      collection: store.workloads,
      settle: (current) => definition.settle(current, input, outcome.state, stamp),
      eventOf: workloadEvent,
    });
  }
}
