/**
 * A data directory with unfinished operations of both engines: each way to start says how to go on,
 * and with `--take-over` goes on with all of them, cancelled ones too.
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { startApiProcess } from "../servers/api_process.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { startTask, taskCommand } from "../servers/task_process.ts";
import { runTemporal, startTemporalServer } from "../servers/temporal_server.ts";
import { startWorkerProcess } from "../servers/worker_process.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";

function clientsOf(url: URL) {
  const transport = createGrpcWebTransport({ baseUrl: url.origin });
  return {
    environments: createClient(EnvironmentService, transport),
    workloads: createClient(WorkloadService, transport),
    operations: createClient(OperationService, transport),
  };
}

/** Which engines have left operations unfinished, and whether those are cancelled. */
const MIXES = [
  { title: "one of Temporal", embedded: false, temporal: true, cancel: false },
  { title: "one of the embedded engine", embedded: true, temporal: false, cancel: false },
  { title: "one of each", embedded: true, temporal: true, cancel: false },
  { title: "one of each, cancelled", embedded: true, temporal: true, cancel: true },
] as const;

type Mix = (typeof MIXES)[number];

/** Leaves unfinished operations in a data directory. @returns their names */
async function leave(directory: string, mix: Mix): Promise<readonly string[]> {
  const names: string[] = [];
  const dev = await startPlatform([`--data-dir=${directory}`]);
  const first = clientsOf(dev.web);
  const { name } = await first.environments.createEnvironment({
    environmentId: "dev",
    environment: {},
  });
  await first.operations.waitOperation({ name });
  if (mix.embedded) {
    const workload = { spec: { image: "nginx:slow", replicas: 3 } };
    const parent = "environments/dev";
    const slow = await first.workloads.deployWorkload({ parent, workloadId: "web", workload });
    for await (const { state } of first.operations.watchOperation({ name: slow.name })) {
      if (state === OperationState.RUNNING) break;
    }
    names.push(slow.name);
  }
  await dev.kill();
  const api = await startApiProcess(directory, [new URL("http://127.0.0.1:9")]);
  const { environments, operations } = clientsOf(api.web);
  if (mix.temporal) {
    names.push(
      (await environments.createEnvironment({ environmentId: "other", environment: {} })).name,
    );
  }
  if (mix.cancel) {
    for (const name of names) await operations.cancelOperation({ name, reason: "tested" });
  }
  await api.kill();
  return names;
}

/** Asserts that a start is refused with the reason, and with the way out. */
async function assertRefused(process: Subprocess, other: string): Promise<void> {
  const { code } = await process.status;
  assert.equal(code, 1, process.output());
  assert.match(process.output(), new RegExp(`runs on engine '${other}'`));
  assert.match(process.output(), /add --take-over to continue it on this one/);
}

const startDev = (directory: string, args: readonly string[]): Subprocess => {
  const command = taskCommand("dev");
  const listen = ["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0"];
  return startDeno([...command.args, ...listen, `--data-dir=${directory}`, ...args], command.env);
};

Deno.test({
  name:
    "whatever is unfinished in a data directory, every way to start it goes on with --take-over",
  ...NO_SANITIZERS,
  async fn(t) {
    await using stack = new AsyncDisposableStack();
    const root = await mkdtemp(join(tmpdir(), "mpc-take-over-"));
    stack.defer(() => rm(root, { recursive: true }));
    const temporal = await startTemporalServer({});
    stack.defer(() => temporal.stop());
    // The copies of a directory have the same operations, which may be workflows only once.
    await runTemporal(temporal.address, "temporal operator namespace create of-dev");
    const onTemporal = [
      "--engine=temporal",
      `--temporal-address=${temporal.address}`,
      "--temporal-namespace=of-dev",
    ];
    const worker = async (directory: string) =>
      startTask("worker", directory, [
        `--workflow-bundle=${await workflowBundle()}`,
        `--temporal-address=${temporal.address}`,
        ...["--health-listen=127.0.0.1:0", "--internal-listen=127.0.0.1:0"],
      ]);
    for (const [index, mix] of MIXES.entries()) {
      const left = join(root, `left-${index}`);
      const names = await leave(left, mix);
      const directory = async (way: string) => {
        const copy = join(root, `${way}-${index}`);
        await cp(left, copy, { recursive: true });
        return copy;
      };
      const assertEnded = async (url: URL) => {
        const { operations } = clientsOf(url);
        const wanted = mix.cancel ? "CANCELLED" : "SUCCEEDED";
        for (const name of names) {
          const { state, engine } = await operations.waitOperation({ name });
          assert.equal(OperationState[state], wanted, `${name} on ${engine}`);
        }
      };
      await t.step(`${mix.title}: dev`, async () => {
        const data = await directory("dev");
        if (mix.temporal) await assertRefused(startDev(data, []), "temporal");
        const platform = await startPlatform([`--data-dir=${data}`, "--take-over"]);
        await assertEnded(platform.web);
        await platform.stop();
      });
      await t.step(`${mix.title}: dev on Temporal`, async () => {
        const data = await directory("dev-temporal");
        if (mix.embedded) await assertRefused(startDev(data, onTemporal), "embedded");
        const platform = await startPlatform([`--data-dir=${data}`, ...onTemporal, "--take-over"]);
        await assertEnded(platform.web);
        await platform.stop();
      });
      await t.step(`${mix.title}: api and worker`, async () => {
        const data = await directory("worker");
        if (mix.embedded) await assertRefused(await worker(data), "embedded");
        const running = await startWorkerProcess(data, temporal.address, ["--take-over"]);
        const api = await startApiProcess(data, [running.internal]);
        await assertEnded(api.web);
        await api.kill();
        running.process.kill("SIGTERM");
        await running.process.status;
      });
    }
  },
});
