/** Starts a worker and exits. Uses the bundle at the given path; without one, it bundles first. */
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
