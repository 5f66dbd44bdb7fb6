/**
 * Workers, the API and Temporal are killed repeatedly under load; then every operation has ended
 * once.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { Operation } from "@mpc/domain";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { freePort } from "@mpc/process";
import { wasCutOff } from "../e2e/cut_off.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";
import { startApiProcess } from "../servers/api_process.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { startWorkerProcess, type WorkerProcess } from "../servers/worker_process.ts";

/** Each environment is created, deployed into three times, and deleted. */
const ENVIRONMENTS = 40;
const OPERATIONS_EACH = 5;
const WORKERS = 3;
const KILLS = 20;
const KILL_EVERY_MS = 1_000;
const OUTAGE_MS = 20_000;
const PATIENCE_MS = 300_000;

/** Codes after which a caller retries; any other error is a bug. */
const AWAY: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded]);

/** These waits are the experiment, not a synchronization: real processes die at random times. */
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test({
  name:
    `${ENVIRONMENTS * OPERATIONS_EACH} operations end once and in order while ${KILLS} workers, ` +
    `the API and Temporal die`,
  ...NO_SANITIZERS,
  async fn() {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    const directory = await mkdtemp(join(tmpdir(), "mpc-crash-"));
    const world = await World.start(directory, new SeededIds(seed));
    let names: readonly string[] = [];
    try {
      const load = Promise.all(
        Array.from({ length: ENVIRONMENTS }, (_, index) => world.change(`e-${index}`)),
      );
      await Promise.all([world.killWorkers(), world.killApi(), world.interruptTemporal()]);
      names = (await load).flat();
    } finally {
      await world.close();
    }
    await assertOnceInOrder(directory, names, `(seed ${seed})`);
    await rm(directory, { recursive: true });
  },
});

/** The processes that are killed. */
class World {
  readonly #directory: string;
  readonly #random: SeededIds;
  readonly #temporal: { readonly port: number; readonly database: string };
  readonly #end = Date.now() + PATIENCE_MS;
  #server!: Awaited<ReturnType<typeof startTemporalServer>>;
  #workers: WorkerProcess[] = [];
  #api!: Awaited<ReturnType<typeof startApiProcess>>;

  private constructor(directory: string, random: SeededIds) {
    this.#directory = directory;
    this.#random = random;
    this.#temporal = { port: freePort(), database: join(directory, "temporal.db") };
  }

  static async start(directory: string, random: SeededIds): Promise<World> {
    const world = new World(directory, random);
    world.#server = await startTemporalServer(world.#temporal);
    for (let index = 0; index < WORKERS; index++) world.#workers.push(await world.#startWorker());
    world.#api = await startApiProcess(directory, []);
    return world;
  }

  async killWorkers(): Promise<void> {
    for (let kill = 0; kill < KILLS; kill++) {
      const next = after(KILL_EVERY_MS);
      const victim = Math.floor(this.#random.random() * this.#workers.length);
      await killed(this.#workers[victim]!);
      this.#workers[victim] = await this.#startWorker();
      await next;
    }
  }

  async killApi(): Promise<void> {
    await after(4 * KILL_EVERY_MS);
    await this.#api.kill();
    this.#api = await startApiProcess(this.#directory, []);
  }

  async interruptTemporal(): Promise<void> {
    await after(8 * KILL_EVERY_MS);
    await this.#server.stop();
    await after(OUTAGE_MS);
    this.#server = await startTemporalServer(this.#temporal);
  }

  /** The life of one environment, one change after another. @returns the operations */
  async change(environmentId: string): Promise<readonly string[]> {
    const parent = `environments/${environmentId}`;
    const deploy = (image: string) => async (transport: Transport, requestId: string) =>
      await createClient(WorkloadService, transport).deployWorkload({
        parent,
        workloadId: "web",
        workload: { spec: { image, replicas: 1 } },
        requestId,
      });
    const changes = [
      async (transport: Transport, requestId: string) =>
        await createClient(EnvironmentService, transport)
          .createEnvironment({ environmentId, environment: {}, requestId }),
      deploy("nginx:1"),
      deploy("nginx:2"),
      deploy("nginx:flaky"),
      async (transport: Transport, requestId: string) =>
        await createClient(EnvironmentService, transport)
          .deleteEnvironment({ name: parent, force: true, requestId }),
    ];
    const names: string[] = [];
    for (const change of changes) {
      const requestId = crypto.randomUUID();
      const { name } = await this.#patiently((transport) => change(transport, requestId));
      names.push(name);
      assert.equal(await this.#stateWhenDone(name), "SUCCEEDED", name);
    }
    return names;
  }

  async close(): Promise<void> {
    await this.#api.stop();
    await Promise.all(this.#workers.map(killed));
    await this.#server.stop();
  }

  #startWorker(): Promise<WorkerProcess> {
    return startWorkerProcess(this.#directory, `127.0.0.1:${this.#temporal.port}`);
  }

  /** Waits for an operation, repeatedly: a wait may end before the operation has. */
  async #stateWhenDone(name: string): Promise<string | undefined> {
    for (;;) {
      const { done, state } = await this.#patiently((transport) =>
        createClient(OperationService, transport).waitOperation({ name })
      );
      if (done) return OperationState[state];
      assert.ok(Date.now() < this.#end, `'${name}' is still ${OperationState[state]}`);
    }
  }

  /** A caller that retries with the same request id while the API is down or does not answer. */
  async #patiently<T>(call: (transport: Transport) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const baseUrl = this.#api.web.origin;
        return await call(createGrpcWebTransport({ baseUrl, defaultTimeoutMs: 20_000 }));
      } catch (error) {
        const away = wasCutOff(error) ||
          (error instanceof ConnectError && AWAY.has(error.code));
        if (!away || Date.now() > this.#end) throw error;
        await after(200);
      }
    }
  }
}

async function killed({ process }: WorkerProcess): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

/** Asserts that each operation ended once, and that those of one resource did not overlap. */
async function assertOnceInOrder(
  directory: string,
  acknowledged: readonly string[],
  hint: string,
): Promise<void> {
  const store = openSqliteStore({ path: join(directory, "mpc.db") });
  try {
    const ends = new Map<string, number>();
    for (const { resource, target } of await store.events.read(0, 1_000_000)) {
      if (resource?.kind !== "operation" || resource.value.endTime === null) continue;
      ends.set(target, (ends.get(target) ?? 0) + 1);
    }
    assert.deepEqual(
      acknowledged.map((name) => [name, ends.get(name)]),
      acknowledged.map((name) => [name, 1]),
      hint,
    );
    const { items } = await store.operations.list({ limit: 1_000 });
    assert.equal(items.length, ENVIRONMENTS * OPERATIONS_EACH, `none came twice ${hint}`);
    const byTarget = Map.groupBy(items.map(({ value }) => value), ({ target }) => target);
    for (const operations of byTarget.values()) assertInOrder(operations, hint);
  } finally {
    await store.close();
  }
}

function assertInOrder(operations: readonly Operation[], hint: string): void {
  const sorted = operations.toSorted((a, b) => a.createTime - b.createTime);
  for (const [index, { name, startTime }] of sorted.entries()) {
    const before = sorted[index - 1]?.endTime ?? 0;
    assert.ok(startTime! >= before, `'${name}' began after the previous one had ended ${hint}`);
  }
}
