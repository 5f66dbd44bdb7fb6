/**
 * A worker as a separate process, with the embedded engine, which needs no server. SIGUSR1 makes
 * the engine unavailable, SIGUSR2 available again.
 */
import { formatAddress } from "@mpc/process";
import { EmbeddedEngine } from "@mpc/worker";
import { readWorkerConfig } from "../../worker/config.ts";
import { startWorker } from "../../worker/start_worker.ts";
import { FragileEngine } from "../fakes/fragile_engine.ts";

const config = readWorkerConfig(Deno.args)!;
const worker = await startWorker(config, (tools) => {
  // Under the name of the engine that the API admits operations for.
  const name = "temporal";
  const engine = new FragileEngine(new EmbeddedEngine({ ...tools, name }), name);
  Deno.addSignalListener("SIGUSR1", () => engine.reachable = false);
  Deno.addSignalListener("SIGUSR2", () => engine.reachable = true);
  return Promise.resolve(engine);
});
Deno.addSignalListener("SIGTERM", async () => {
  await worker.close();
  Deno.exit(0);
});
console.log(`health http://${formatAddress(worker.healthAddress)}`);
console.log(`internal http://${formatAddress(worker.internalAddress)}`);
