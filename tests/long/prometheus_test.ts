/**
 * A real Prometheus scrapes an API and a worker, with the committed rules: their durations are
 * divided by 120, so that an hour passes in 30 s. Faults are real; what takes longer, or cannot be
 * caused, is shown by promtool alone (alert_rules_test.ts).
 */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { stringify } from "yaml";
import { alerts, ruleFiles } from "../observability/definitions.ts";
import { scaleDuration, scaleDurations } from "../observability/promql.ts";
import { eventually } from "../servers/eventually.ts";
import { addressesOf } from "../servers/platform_process.ts";
import { type Prometheus, startPrometheus } from "../servers/prometheus.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { startTask } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";
import { workerAddressesOf } from "../servers/worker_process.ts";

const TIME_FACTOR = 1 / 120;

/** Five scrapes in the shortest window, which is 2.5 s long. */
const INTERVAL_MS = 500;

const WORKER = new URL("../servers/embedded_worker.ts", import.meta.url).pathname;

/** Writes the committed rules with shorter durations. */
async function fastRules(folder: string): Promise<readonly string[]> {
  return await Promise.all((await ruleFiles()).map(async ({ name, content }) => {
    const groups = content.groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ expr, ...rule }) => ({
        ...rule,
        expr: scaleDurations(expr, TIME_FACTOR),
        ...(rule.for && { for: scaleDuration(rule.for, TIME_FACTOR) }),
      })),
    }));
    const path = join(folder, name);
    await writeFile(path, stringify({ groups }));
    return path;
  }));
}

/** An API and a worker that share a folder, and keep their ports. */
class ScrapedPlatform {
  readonly dataDir: string;
  #api: Subprocess | undefined;
  #worker: Subprocess | undefined;
  #apiPort = 0;
  #healthPort = 0;

  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  async startApi(): Promise<void> {
    this.#api = startTask("api", this.dataDir, [
      "--grpc-listen=127.0.0.1:0",
      `--web-listen=127.0.0.1:${this.#apiPort}`,
      "--rate-limit=20",
    ]);
    this.#apiPort = Number((await addressesOf(this.#api)).web.port);
  }

  async startWorker(): Promise<void> {
    this.#worker = startDeno(["run", "--allow-all", WORKER, "--simulated-delays=none"], {
      MPC_DATA_DIR: this.dataDir,
      MPC_HEALTH_LISTEN: `127.0.0.1:${this.#healthPort}`,
      MPC_INTERNAL_LISTEN: "127.0.0.1:0",
    });
    this.#healthPort = Number((await workerAddressesOf(this.#worker)).health.port);
  }

  async killApi(): Promise<void> {
    this.#api?.kill("SIGKILL");
    await this.#api?.status;
  }

  async killWorker(): Promise<void> {
    this.#worker?.kill("SIGKILL");
    await this.#worker?.status;
  }

  /** Makes the worker's engine unreachable, or reachable again. */
  engine(reachable: boolean): void {
    this.#worker?.kill(reachable ? "SIGUSR2" : "SIGUSR1");
  }

  get jobs() {
    return [
      { job_name: "mpc-api", targets: [`127.0.0.1:${this.#apiPort}`] },
      { job_name: "mpc-worker", targets: [`127.0.0.1:${this.#healthPort}`] },
    ];
  }

  get clients() {
    const transport = createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${this.#apiPort}` });
    return {
      environments: createClient(EnvironmentService, transport),
      workloads: createClient(WorkloadService, transport),
      operations: createClient(OperationService, transport),
    };
  }

  #created = 0;

  /** Requests an environment. */
  async create(): Promise<{ readonly operation: string; readonly environment: string }> {
    const environmentId = `e-${this.#created++}`;
    const { name } = await this.clients.environments.createEnvironment({
      environmentId,
      environment: {},
    });
    return { operation: name, environment: `environments/${environmentId}` };
  }

  /** Waits for the end of an operation. */
  async ended(name: string): Promise<string> {
    const { state } = await this.clients.operations.waitOperation({ name });
    return OperationState[state];
  }
}

type Labels = Readonly<Record<string, string>>;

const matches = (wanted: Labels) => (labels: Labels) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

/** Repeats something until an alert fires. */
async function fires(
  prometheus: Prometheus,
  wanted: Labels,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  await eventually(`${JSON.stringify(wanted)} fires`, async () => {
    await meanwhile();
    const firing = await prometheus.firing();
    assert.ok(firing.some(matches(wanted)), `these fire: ${JSON.stringify(firing)}`);
  });
}

async function resolves(prometheus: Prometheus, wanted: Labels): Promise<void> {
  await eventually(`${JSON.stringify(wanted)} is resolved`, async () => {
    assert.deepEqual((await prometheus.firing()).filter(matches(wanted)), []);
  });
}

Deno.test({
  name: "a real Prometheus fires the committed alerts in real faults, and resolves them",
  // The output of processes is read in the background.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withFolder(async (folder) => {
      const platform = new ScrapedPlatform(join(folder, "data"));
      try {
        await platform.startApi();
        await platform.startWorker();
        await using prometheus = await startPrometheus(folder, {
          intervalMs: INTERVAL_MS,
          jobs: platform.jobs,
          rules: await fastRules(folder),
        });
        await scrapeHealthy(t, platform, prometheus);
        await breakParts(t, platform, prometheus);
        await missObjectives(t, platform, prometheus);
        await stopProcesses(t, platform, prometheus);
      } finally {
        await platform.killApi();
        await platform.killWorker();
      }
    }),
});

async function scrapeHealthy(
  t: Deno.TestContext,
  platform: ScrapedPlatform,
  prometheus: Prometheus,
) {
  await t.step("both processes are scraped, and no alert fires on a healthy platform", async () => {
    assert.equal(await platform.ended((await platform.create()).operation), "SUCCEEDED");
    await eventually("both are up", async () => {
      const up = await prometheus.query("up == 1");
      assert.deepEqual(up.map(({ labels }) => labels["job"]).sort(), ["mpc-api", "mpc-worker"]);
    });
    await eventually("no alert fires", async () => {
      assert.deepEqual(await prometheus.firing(), []);
    });
  });
}

async function breakParts(t: Deno.TestContext, platform: ScrapedPlatform, prometheus: Prometheus) {
  const held = await deleteHeldWorkload(platform);

  await t.step(
    "MpcComponentNotReady and MpcOperationsWait: the engine is unreachable",
    async () => {
      platform.engine(false);
      const { operation } = await platform.create();
      await fires(prometheus, { alertname: "MpcComponentNotReady", component: "engine" });
      await fires(prometheus, { alertname: "MpcOperationsWait" });
      platform.engine(true);
      assert.equal(await platform.ended(operation), "SUCCEEDED");
      await resolves(prometheus, { alertname: "MpcComponentNotReady" });
      await resolves(prometheus, { alertname: "MpcOperationsWait" });
    },
  );

  await t.step("MpcCallersLimited: a caller in a loop", async () => {
    const { environments } = platform.clients;
    await fires(
      prometheus,
      { alertname: "MpcCallersLimited", reason: "RATE_LIMITED" },
      () =>
        Promise.allSettled(
          Array.from({ length: 40 }, () => environments.listEnvironments({ pageSize: 1 })),
        ),
    );
    await resolves(prometheus, { alertname: "MpcCallersLimited" });
  });

  await t.step("MpcDeletionFailed: a finalizer holds a workload", async () => {
    assert.equal(await platform.ended(held.deletion), "FAILED");
    await fires(prometheus, { alertname: "MpcDeletionFailed" });
    const { workloads } = platform.clients;
    const abandoned = await workloads.deleteWorkload({ name: held.workload, abandon: true });
    assert.equal(await platform.ended(abandoned.name), "SUCCEEDED");
    await resolves(prometheus, { alertname: "MpcDeletionFailed" });
  });
}

/** Begins to delete a workload that a finalizer holds; the deletion fails after its 30 s. */
async function deleteHeldWorkload(
  platform: ScrapedPlatform,
): Promise<{ readonly workload: string; readonly deletion: string }> {
  const { operation, environment: parent } = await platform.create();
  await platform.ended(operation);
  const { workloads } = platform.clients;
  const deployed = await workloads.deployWorkload({
    parent,
    workloadId: "web",
    workload: { spec: { image: "web:sticky" } },
  });
  assert.equal(await platform.ended(deployed.name), "SUCCEEDED");
  const workload = `${parent}/workloads/web`;
  const { name } = await workloads.deleteWorkload({ name: workload, timeout: { seconds: 30n } });
  return { workload, deletion: name };
}

async function missObjectives(
  t: Deno.TestContext,
  platform: ScrapedPlatform,
  prometheus: Prometheus,
) {
  const burns = (slo: string) => ({ alertname: "MpcErrorBudgetBurnFast", slo });

  await t.step("MpcErrorBudgetBurnFast, operations: the cluster has no room", async () => {
    const { operation, environment: parent } = await platform.create();
    await platform.ended(operation);
    let deployed = 0;
    await fires(prometheus, burns("operations"), async () => {
      const { name } = await platform.clients.workloads.deployWorkload({
        parent,
        workloadId: `web-${deployed++}`,
        workload: { spec: { image: "web:unschedulable" } },
      });
      assert.equal(await platform.ended(name), "FAILED");
    });
    await resolves(prometheus, burns("operations"));
  });

  await t.step("admission: another program locks the database now and then", async () => {
    const file = new DatabaseSync(join(platform.dataDir, "mpc.db"), { timeout: 5_000 });
    try {
      await fires(prometheus, burns("admission"), async () => {
        file.exec("BEGIN IMMEDIATE");
        const created = platform.create();
        const late = new Promise((resolve) => setTimeout(resolve, 800));
        await Promise.race([created, late]);
        file.exec("ROLLBACK");
        await created;
      });
    } finally {
      file.close();
    }
    await resolves(prometheus, burns("admission"));
  });

  await t.step("availability: the file of the database was moved away", async () => {
    const path = join(platform.dataDir, "mpc.db");
    await rename(path, `${path}.moved`);
    await fires(prometheus, burns("availability"), () => assert.rejects(platform.create()));
    await fires(prometheus, { alertname: "MpcComponentNotReady", component: "store" });
    await rename(`${path}.moved`, path);
    await resolves(prometheus, { alertname: "MpcComponentNotReady" });
    await resolves(prometheus, burns("availability"));
  });
}

async function stopProcesses(
  t: Deno.TestContext,
  platform: ScrapedPlatform,
  prometheus: Prometheus,
) {
  await t.step("MpcProcessDown: the API is killed", async () => {
    await platform.killApi();
    await fires(prometheus, { alertname: "MpcProcessDown", job: "mpc-api" });
  });

  await t.step("MpcNoProcess: the worker too", async () => {
    await platform.killWorker();
    await fires(prometheus, { alertname: "MpcNoProcess" });
    await platform.startApi();
    await platform.startWorker();
    await resolves(prometheus, { alertname: "MpcNoProcess" });
    await resolves(prometheus, { alertname: "MpcProcessDown" });
  });

  await t.step("at the end only the windows of days remember the faults", async () => {
    await eventually("no other alert fires", async () => {
      const firing = await prometheus.firing();
      assert.deepEqual(
        firing.filter(({ alertname }) => alertname !== "MpcErrorBudgetBurnSlow"),
        [],
      );
    });
    assert.ok((await alerts()).length > 15, "the alerts were loaded");
  });
}
