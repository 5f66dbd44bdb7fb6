/**
 * A worker as a separate process, in which the rollout of the workload `web` fails: its first attempt
 * passing, the second for good. `faulty_worker.ts embedded|temporal FLAGS…`
 */
import { formatAddress, outsideTraces } from "@mpc/process";
import { EmbeddedEngine } from "@mpc/worker";
import { startTemporalEngine } from "@mpc/worker/temporal";
import { readWorkerConfig } from "../../worker/config.ts";
import { startWorker } from "../../worker/start_worker.ts";
import { faultyDefinitions, permanent, transient } from "../fakes/faulty_definitions.ts";

const [engine, ...flags] = Deno.args;
const config = readWorkerConfig(flags)!;
const { definitions } = faultyDefinitions([{
  kind: "workload.deploy",
  step: "await_rollout",
  run(run, call, { target }) {
    if (!target.endsWith("/web")) return run();
    return Promise.reject(call === 1 ? transient() : permanent());
  },
}]);
const worker = await outsideTraces(() =>
  startWorker(
    config,
    (tools) =>
      engine === "temporal"
        ? startTemporalEngine({ ...tools, definitions }, config.temporal)
        // Under the name of the engine that the API admits operations for.
        : Promise.resolve(new EmbeddedEngine({ ...tools, definitions, name: "temporal" })),
  )
);
Deno.addSignalListener("SIGTERM", async () => {
  await worker.close();
  Deno.exit(0);
});
console.log(`health http://${formatAddress(worker.healthAddress)}`);
console.log(`internal http://${formatAddress(worker.internalAddress)}`);
