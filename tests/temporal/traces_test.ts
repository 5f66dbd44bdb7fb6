/** Traces across Temporal: the same as on the embedded engine. */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { OperationService, WorkloadService } from "@mpc/proto";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";
import { testSpanTrees } from "../telemetry/span_tree_cases.ts";
import { startTracedProcesses, traceIdOf, treeOf } from "../telemetry/traced_processes.ts";

const server = await startTemporalServer();
Deno.test.afterAll(() => server.stop());

const start = async () =>
  await startTracedProcesses("temporal", [
    `--temporal-address=${server.address}`,
    `--workflow-bundle=${await workflowBundle()}`,
  ]);

testSpanTrees("Temporal", start);

Deno.test("a step that another worker resumes links to its request", NO_SANITIZERS, async () => {
  await using processes = await start();
  const { receiver, mpctl, web } = processes;
  const created = await mpctl("env", "create", "dev");
  assert.equal(created.code, 0, created.err);
  const deploy = ["workload", "deploy", "api", "--env", "dev", "--image", "api:stuck"];
  const deployed = await mpctl(...deploy, "--no-wait", "--trace");
  assert.equal(deployed.code, 0, deployed.err);
  const traceId = traceIdOf(deployed);
  const transport = createGrpcWebTransport({ baseUrl: web.origin });
  const operations = createClient(OperationService, transport);
  const { currentOperation: name } = await createClient(WorkloadService, transport)
    .getWorkload({ name: "environments/dev/workloads/api" });
  const attempts = async (count: number) => {
    for await (const { steps } of operations.watchOperation({ name })) {
      const step = steps.find(({ name }) => name === "await_rollout");
      if ((step?.attempts.length ?? 0) >= count) return;
    }
  };
  await attempts(1);
  await processes.replaceWorker();
  await attempts(2);
  await operations.cancelOperation({ name, reason: "enough" });
  await operations.waitOperation({ name });
  await receiver.until((spans) => spans.some((span) => span.name === "resume workload.deploy"));
  const resume = receiver.spans.find((span) => span.name === "resume workload.deploy")!;
  assert.deepEqual([resume.links, resume.parentSpanId], [[traceId], ""]);
  const [, ...below] = treeOf(receiver.spans, resume.traceId);
  assert.ok(below.some((line) => /await_rollout #2/.test(line)), below.join("\n"));
  const origin = () => treeOf(receiver.spans, traceId).map((line) => line.trim());
  await receiver.until(() => origin().includes("worker INTERNAL apply_workload.undo #1"));
});
