/** Operations as a client sees them that knows `google.longrunning` alone: Google's own, google-gax. */
import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { connect } from "@mpc/client";
import { EnvironmentService, OperationService, WorkloadService } from "@mpc/proto";
import { startPlatform } from "../servers/platform_process.ts";
import { runCommand } from "../servers/run_command.ts";

const PROGRAM = new URL("programs/follow_with_gax.mjs", import.meta.url).pathname;

/** Runs a command of the program against a gRPC door. */
async function gax(grpc: URL, ...args: readonly string[]): Promise<readonly unknown[]> {
  const command = [Deno.execPath(), "run", "-A", PROGRAM, grpc.hostname, grpc.port, ...args];
  const { code, out, err } = await runCommand(command, { env: { NO_COLOR: "1" } });
  assert.equal(code, 0, err);
  return out.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

Deno.test("google-gax follows, cancels and lists operations", async (t) => {
  const platform = await startPlatform(["--ephemeral"]);
  const connection = await connect({ server: platform.web });
  try {
    const environments = connection.client(EnvironmentService);
    const { name } = await environments.createEnvironment({
      environmentId: "dev",
      environment: {},
    });
    await t.step("an operation that succeeds gives its environment", async () => {
      const told = await gax(platform.grpc, "follow", name);
      const { uid } = await environments.getEnvironment({ name: "environments/dev" });
      const kind = "environment.create";
      assert.deepEqual(told, [{
        environment: "environments/dev",
        uid,
        kind,
        target: "environments/dev",
      }]);
    });
    const deployment = await connection.client(WorkloadService).deployWorkload({
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:stuck" } },
    });
    await t.step("an operation that is cancelled gives CANCELLED", async () => {
      const [before, after] = await gax(platform.grpc, "cancel", deployment.name);
      assert.deepEqual(before, { done: false, kind: "workload.deploy" });
      assert.equal((after as { code: number }).code, Code.Canceled);
      const { done } = await connection.client(OperationService).getOperation({
        name: deployment.name,
      });
      assert.ok(done);
    });
    await t.step("a list goes on over its pages", async () => {
      assert.deepEqual(await gax(platform.grpc, "list"), [{ name: deployment.name }, { name }]);
    });
    await t.step("a deletion is UNIMPLEMENTED, as google.longrunning allows", async () => {
      const [error] = await gax(platform.grpc, "delete", name);
      assert.equal((error as { code: number }).code, Code.Unimplemented);
    });
  } finally {
    connection.close();
    await platform.stop();
  }
});
