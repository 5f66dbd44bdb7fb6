/** Starts a worker and ends: with the bundle at a path, or bundling where none is given. */
import { NativeConnection, Worker } from "@temporalio/worker";

const [address = "", codePath] = Deno.args;

async function bundle(): Promise<{ code: string }> {
  const { bundleWorkflows } = await import("../../../worker/engine/temporal/bundle_workflows.ts");
  return { code: await bundleWorkflows() };
}

const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue: "start",
  workflowBundle: codePath ? { codePath } : await bundle(),
});
const running = worker.run();
worker.shutdown();
await running;
await connection.close();
