/**
 * A worker as a process of its own, whose steps hang where a test says, so that it can be killed
 * there: `held_worker.ts ADDRESS TASK_QUEUE STORE CLUSTER BUNDLE`. Prints `held ENVIRONMENT` for each
 * operation that has come to its point.
 */
import { environmentIdOf, type OperationKind, PLATFORM } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { DEFINITIONS, type PlatformClaimInput, type PlatformSweepInput } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { type Fault, faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { isHeld } from "./held_points.ts";
import { TemporalWorld } from "./temporal_world.ts";

const [address = "", taskQueue = "", storePath = "", statePath = "", bundlePath = ""] = Deno.args;

/** Hangs before or after the work of the step, in the environments that are named for it. */
function faultOf(kind: OperationKind, step: string): Fault {
  return {
    kind,
    step,
    async run(run, _call, { target, store, operation }) {
      const environment = target === PLATFORM
        ? await placeOf(store, operation)
        : environmentIdOf(target);
      if (isHeld(environment, kind, step, "before")) return await held(environment);
      const output = await run();
      if (isHeld(environment, kind, step, "after")) return await held(environment);
      return output;
    },
  };
}

/** The environment that stands for an operation of the platform. */
async function placeOf(store: Store, operation: string): Promise<string> {
  const { kind, input } = (await store.operations.get(operation))!.value;
  return kind === "platform.claim"
    ? (input as PlatformClaimInput).cluster
    : environmentIdOf((input as PlatformSweepInput).leftovers[0]?.target ?? "");
}

function held(environment: string): Promise<never> {
  console.log(`held ${environment}`);
  return hang();
}

const { definitions } = faultyDefinitions(
  Object.values(DEFINITIONS).flatMap(({ kind, steps }) =>
    steps.map(({ name }) => faultOf(kind, name))
  ),
);

// Ends with this process, which is killed.
await TemporalWorld.start(address, {
  store: openSqliteStore({ path: storePath, shared: true }),
  provider: new SimulatedProvider({ clock: systemClock, delays: NO_DELAYS, statePath }),
  definitions,
  config: { taskQueue, bundlePath },
});
console.log("ready");
