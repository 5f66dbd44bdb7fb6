/** The API and a worker as separate processes with one data directory. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  ChangeAction,
  DiagnosticsService,
  EnvironmentService,
  ErrorInfoSchema,
  OperationService,
  OperationState,
  WorkloadService,
} from "@mpc/proto";
import { failure } from "../api/doors.ts";
import { startApiProcess } from "../servers/api_process.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { workerAddressesOf, type WorkerProcess } from "../servers/worker_process.ts";

const WORKER = new URL("../servers/embedded_worker.ts", import.meta.url).pathname;

/** The processes of one test, stopped at its end. */
class Processes {
  readonly directory: string;
  readonly #started: Subprocess[] = [];

  constructor(directory: string) {
    this.directory = directory;
  }

  async api(...workers: URL[]) {
    const api = await startApiProcess(this.directory, workers);
    this.#started.push(api.process);
    return { ...api, clients: clientsOf(api.web) };
  }

  async worker(internalPort = 0): Promise<WorkerProcess> {
    const process = startDeno(["run", "--allow-all", WORKER, "--simulated-delays=none"], {
      MPC_DATA_DIR: this.directory,
      MPC_HEALTH_LISTEN: "127.0.0.1:0",
      MPC_INTERNAL_LISTEN: `127.0.0.1:${internalPort}`,
    });
    this.#started.push(process);
    return await workerAddressesOf(process);
  }

  async end(): Promise<void> {
    for (const process of this.#started) process.kill("SIGKILL");
    await Promise.all(this.#started.map(({ status }) => status));
  }
}

function clientsOf(url: URL) {
  const transport = createGrpcWebTransport({ baseUrl: url.origin });
  return {
    environments: createClient(EnvironmentService, transport),
    workloads: createClient(WorkloadService, transport),
    operations: createClient(OperationService, transport),
    diagnostics: createClient(DiagnosticsService, transport),
  };
}

type Clients = ReturnType<typeof clientsOf>;

function testWithProcesses(title: string, use: (processes: Processes) => Promise<void>): void {
  Deno.test({
    name: `processes: ${title}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const directory = await mkdtemp(join(tmpdir(), "mpc-processes-"));
      const processes = new Processes(directory);
      try {
        await use(processes);
      } finally {
        await processes.end();
        await rm(directory, { recursive: true });
      }
    },
  });
}

const create = ({ environments }: Clients, environmentId: string) =>
  environments.createEnvironment({ environmentId, environment: {} });

async function assertSucceeds({ operations }: Clients, name: string): Promise<void> {
  const { state } = await operations.waitOperation({ name });
  assert.equal(OperationState[state], "SUCCEEDED");
}

const deployment = (validateOnly = false) => ({
  parent: "environments/dev",
  workloadId: "web",
  workload: { spec: { image: "nginx:1.27", replicas: 2 } },
  validateOnly,
});

/** The first record of the operation that satisfies the predicate. */
async function watched(
  { operations }: Clients,
  name: string,
  passes: (operation: { readonly waitingReason: string }) => boolean,
): Promise<void> {
  for await (const operation of operations.watchOperation({ name })) {
    if (passes(operation)) return;
  }
}

testWithProcesses(
  "the API alone admits and answers, but cannot read the cluster",
  async (processes) => {
    const { clients } = await processes.api(new URL("http://127.0.0.1:9"));
    const { name, state } = await create(clients, "dev");
    assert.equal(OperationState[state], "PENDING");
    assert.equal((await clients.environments.listEnvironments({})).environments.length, 1);
    assert.equal((await clients.operations.getOperation({ name })).engine, "temporal");
    const error = await failure(
      clients.environments.createEnvironment({
        environmentId: "other",
        environment: {},
        validateOnly: true,
      }),
    );
    assert.equal(error.code, Code.Unavailable);
    const nobody = /no worker answers at http:\/\/127.0.0.1:9; start one with 'deno task worker'/;
    assert.match(error.message, nobody);
    assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "NO_WORKER");
    const { summary, nextCommand } = await clients.operations.explainOperation({ name });
    assert.match(summary, nobody);
    assert.equal(nextCommand, "deno task worker");
    const [finding, ...others] = (await clients.diagnostics.diagnose({})).findings;
    assert.equal(finding?.invariant, "CLUSTER_UNREADABLE");
    assert.match(finding.message, nobody);
    assert.equal(finding.remedy, "deno task worker");
    assert.deepEqual(others, []);
    const info = await clients.diagnostics.getServerInfo({});
    assert.deepEqual([info.engine, info.storage, info.provider], [
      "temporal",
      "sqlite",
      "unknown, no worker answers",
    ]);
  },
);

testWithProcesses(
  "a worker executes admitted operations, and reads the cluster",
  async (processes) => {
    const worker = await processes.worker();
    const { clients } = await processes.api(worker.internal);
    await assertSucceeds(clients, (await create(clients, "dev")).name);
    const { plan } = await clients.workloads.deployWorkload(deployment(true));
    assert.deepEqual(plan?.changes.map(({ action, object }) => [ChangeAction[action], object]), [[
      "CREATE",
      "Deployment/dev/web",
    ]]);
    const { name } = await clients.workloads.deployWorkload(deployment());
    await assertSucceeds(clients, name);
    const lines = clients.workloads.streamLogs({ name: "environments/dev/workloads/web" });
    const printed = await Array.fromAsync(lines);
    assert.deepEqual(
      new Set(printed.map(({ replica }) => replica)),
      new Set(["web-r1-1", "web-r1-2"]),
    );
    assert.deepEqual((await clients.diagnostics.diagnose({})).findings, []);
    assert.equal((await clients.diagnostics.getServerInfo({})).provider, "simulated");
  },
);

testWithProcesses(
  "if the API is killed alone, the worker continues, and so do callers",
  async (processes) => {
    const worker = await processes.worker();
    const first = await processes.api(worker.internal);
    const { name } = await create(first.clients, "dev");
    await first.kill();
    const second = await processes.api(worker.internal);
    await assertSucceeds(second.clients, name);
    assert.equal((await second.clients.environments.listEnvironments({})).environments.length, 1);
  },
);

testWithProcesses("if the worker is killed alone, another one takes over", async (processes) => {
  const first = await processes.worker();
  const { clients } = await processes.api(first.internal);
  await assertSucceeds(clients, (await create(clients, "dev")).name);
  first.process.kill("SIGKILL");
  await first.process.status;
  const [finding] = (await clients.diagnostics.diagnose({})).findings;
  assert.equal(finding?.remedy, "deno task worker");
  const { name } = await clients.workloads.deployWorkload(deployment());
  await processes.worker(Number(first.internal.port));
  await assertSucceeds(clients, name);
  assert.deepEqual((await clients.diagnostics.diagnose({})).findings, []);
});

testWithProcesses("readiness and operations report an engine that is down", async (processes) => {
  const worker = await processes.worker();
  const { clients } = await processes.api(worker.internal);
  const readiness = async () => await (await fetch(new URL("/readyz", worker.health))).json();
  assert.deepEqual(await (await fetch(new URL("/healthz", worker.health))).json(), {
    healthy: true,
  });
  assert.deepEqual(await readiness(), {
    ready: true,
    checks: ["store", "engine", "cluster"].map((name) => ({ name, ready: true })),
  });
  worker.process.kill("SIGUSR1");
  const { name } = await create(clients, "dev");
  await watched(
    clients,
    name,
    ({ waitingReason }) =>
      /^engine unreachable since 20.*Z: Cannot reach the engine/.test(waitingReason),
  );
  const { ready, checks } = await readiness();
  assert.equal(ready, false);
  assert.deepEqual(checks[1], {
    name: "engine",
    ready: false,
    reason: "ENGINE_UNREACHABLE",
    message: "Cannot reach the engine: connection refused",
  });
  worker.process.kill("SIGUSR2");
  await assertSucceeds(clients, name);
});

testWithProcesses("a worker that is told to stop exits", async (processes) => {
  const worker = await processes.worker();
  const { clients } = await processes.api(worker.internal);
  await assertSucceeds(clients, (await create(clients, "dev")).name);
  worker.process.kill("SIGTERM");
  assert.equal((await worker.process.status).code, 0, worker.process.output());
});

testWithProcesses("the all-in-one does not share its data with the API", async (processes) => {
  const platform = await startPlatform(["--data-dir", processes.directory]);
  try {
    const api = processes.api(new URL("http://127.0.0.1:9"));
    await assert.rejects(api, /STORE_IN_USE|has it open for itself alone/);
  } finally {
    await platform.stop();
  }
});
