/** Traces across Temporal: the same as on the embedded engine. */
import { startTemporalServer } from "../servers/temporal_server.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";
import { testSpanTrees } from "../telemetry/span_tree_cases.ts";
import { startTracedProcesses } from "../telemetry/traced_processes.ts";

const server = await startTemporalServer();
Deno.test.afterAll(() => server.stop());

testSpanTrees("Temporal", async () =>
  await startTracedProcesses("temporal", [
    `--temporal-address=${server.address}`,
    `--workflow-bundle=${await workflowBundle()}`,
  ]));
