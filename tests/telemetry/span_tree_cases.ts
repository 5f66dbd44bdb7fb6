/** What one trace shows of an operation, the same on every engine. */
import assert from "node:assert/strict";
import { type TracedProcesses, traceIdOf, treeOf } from "./traced_processes.ts";

/** A value that no span may have. */
const SECRET = "planted-secret-d41d8cd9";

const READ_BEFORE = [
  "mpctl INTERNAL mpctl workload deploy",
  "  mpctl CLIENT mpc.v1.WorkloadService/GetWorkload failed: NOT_FOUND",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.WorkloadService/GetWorkload",
  "          api storage: get workloads",
];

const WATCH = [
  "  mpctl CLIENT mpc.v1.OperationService/WatchOperation",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.OperationService/WatchOperation",
  "          api storage: get operations, head events",
];

const CREATED = [
  "mpctl INTERNAL mpctl env create",
  "  mpctl CLIENT mpc.v1.EnvironmentService/CreateEnvironment",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.EnvironmentService/CreateEnvironment",
  "          api storage: append audit, create audit_marks, create environments, " +
  "create operations, find_by_request_id operations, get audit_marks, get environments, " +
  "get operations, head events, list audit, list claims, replace audit_marks",
  "          worker storage: get environments, replace environments, replace operations",
  "          worker INTERNAL environment.create",
  "          worker INTERNAL create_namespace #1",
  "            worker INTERNAL cluster apply_namespace",
  "          worker INTERNAL apply_policies #1",
  "            worker INTERNAL cluster apply_policies",
  ...WATCH,
  "  mpctl CLIENT mpc.v1.EnvironmentService/GetEnvironment",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.EnvironmentService/GetEnvironment",
  "          api storage: get environments",
];

const FAILED = [
  ...READ_BEFORE,
  "  mpctl CLIENT mpc.v1.WorkloadService/DeployWorkload",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.WorkloadService/DeployWorkload",
  "          api storage: append audit, create operations, create workloads, " +
  "find_by_request_id operations, get audit_marks, get environments, get operations, " +
  "get workloads, head events, list claims, replace audit_marks",
  "          worker storage: get workloads, replace operations, replace workloads",
  "          worker INTERNAL workload.deploy failed: INJECTED",
  "          worker INTERNAL apply_workload #1",
  "            worker storage: get environments",
  "            worker INTERNAL cluster apply_workload",
  "          worker INTERNAL await_rollout #1 failed: INJECTED",
  "          worker INTERNAL await_rollout #2 failed: INJECTED",
  "          worker INTERNAL apply_workload.undo #1",
  "            worker INTERNAL cluster delete_workloads",
  "            worker INTERNAL cluster await_workload_gone",
  ...WATCH,
];

const READ = [
  "mpctl INTERNAL mpctl workload pods",
  "  mpctl CLIENT mpc.v1.WorkloadService/ListPods",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "        api SERVER mpc.v1.WorkloadService/ListPods",
  "          api storage: get environments, list workloads",
  "          api CLIENT mpc.internal.v1.ClusterService/ListPods",
  "            api CLIENT POST",
  "              worker SERVER POST",
  "                worker SERVER mpc.internal.v1.ClusterService/ListPods",
  "                  worker INTERNAL cluster pods",
];

/** Deno's span of the request is beside the call, because grpc-js does not run it inside. */
const READ_BY_GRPC = [
  "mpctl INTERNAL mpctl env get",
  "  mpctl CLIENT mpc.v1.EnvironmentService/GetEnvironment",
  "    mpctl CLIENT POST",
  "      api SERVER POST",
  "      api SERVER mpc.v1.EnvironmentService/GetEnvironment",
  "        api storage: get environments",
];

/** Registers the cases on processes that `start` starts. */
export function testSpanTrees(engine: string, start: () => Promise<TracedProcesses>): void {
  Deno.test(
    `traces on ${engine}`,
    { sanitizeOps: false, sanitizeResources: false },
    async (t) => {
      await using processes = await start();
      const { receiver, mpctl } = processes;

      await t.step("a create is one trace, from mpctl to the cluster", async () => {
        const created = await mpctl("env", "create", "dev", "--trace");
        assert.equal(created.code, 0, created.err);
        assert.match(created.err, /\(mpctl's spans are exported\)/);
        await assertTree(processes, traceIdOf(created), CREATED);
        const span = receiver.spans.find(({ name }) => name.endsWith("/CreateEnvironment"))!;
        assert.equal(span.attributes["rpc.response.status_code"], "OK");
        const apply = receiver.spans.find(({ name }) => name === "cluster apply_namespace")!;
        assert.equal(apply.attributes["k8s.namespace.name"], "dev");
        const stored = receiver.spans.find(({ name }) => name === "create environments")!;
        assert.deepEqual(stored.attributes, {
          "db.system.name": "sqlite",
          "db.collection.name": "environments",
          "db.operation.name": "create",
          "mpc.document": "environments/dev",
        });
      });

      await t.step("a deployment that fails, is tried again and undone is one trace", async () => {
        const deploy = ["workload", "deploy", "web", "--env", "dev", "--image", "web:1"];
        const failed = await mpctl(...deploy, "--var", `KEY=${SECRET}`, "--trace");
        assert.equal(failed.code, 3, failed.err);
        await assertTree(processes, traceIdOf(failed), FAILED);
        assert.match(failed.err, /await_rollout INJECTED +\d/);
        assert.match(failed.err, /await_rollout waits for its next attempt +\d/);
        assert.match(failed.err, /await_rollout, attempt 2 INJECTED +\d/);
        assert.match(failed.err, /undo of apply_workload +\d/);
      });

      await t.step("a read of the cluster is one trace, through API and worker", async () => {
        const read = await mpctl("workload", "pods", "--env", "dev", "--trace");
        assert.equal(read.code, 0, read.err);
        await assertTree(processes, traceIdOf(read), READ);
        const byGrpc = await mpctl("env", "get", "dev", "--trace", "--server", processes.grpc.href);
        assert.equal(byGrpc.code, 0, byGrpc.err);
        await assertTree(processes, traceIdOf(byGrpc), READ_BY_GRPC);
      });

      await t.step("values of variables are in no export", () => {
        assert.ok(receiver.bodies.length > 0);
        assert.ok(receiver.bodies.every((body) => !body.includes(SECRET)));
      });
    },
  );
}

async function assertTree(
  { receiver }: TracedProcesses,
  traceId: string,
  expected: readonly string[],
): Promise<void> {
  const isWhole = () => treeOf(receiver.spans, traceId).join("\n") === expected.join("\n");
  try {
    await receiver.until(isWhole);
  } catch {
    // Shows the difference.
    assert.deepEqual(treeOf(receiver.spans, traceId), expected);
  }
}
