/** The API, a worker, Temporal and MongoDB as separate processes, each of them killed alone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { freePort } from "@mpc/process";
import {
  DiagnosticsService,
  EnvironmentService,
  OperationService,
  OperationState,
} from "@mpc/proto";
import { eventually } from "../servers/eventually.ts";
import { type MongodbServer, withMongodbServer } from "../servers/mongodb_server.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { addressesOf } from "../servers/platform_process.ts";
import type { Subprocess } from "../servers/subprocess.ts";
import { startTask } from "../servers/task_process.ts";
import { startTemporalServer, type TemporalServer } from "../servers/temporal_server.ts";
import { startWorkerProcess, type WorkerProcess } from "../servers/worker_process.ts";
import { withFolder } from "../servers/with_folder.ts";

/** The processes of one platform on one machine, with a store that they reach by TCP. */
class World implements AsyncDisposable {
  readonly #folder: string;
  readonly #store: string;
  readonly #temporalPort = freePort();
  readonly #started: Subprocess[] = [];
  temporal!: TemporalServer;

  constructor(folder: string, { uri }: MongodbServer) {
    this.#folder = folder;
    this.#store = `${uri}platform?serverSelectionTimeoutMS=1000`;
  }

  async startTemporal(): Promise<void> {
    this.temporal = await startTemporalServer({
      database: join(this.#folder, "temporal.db"),
      port: this.#temporalPort,
    });
  }

  async api() {
    const process = startTask("api", this.#folder, [
      "--grpc-listen=127.0.0.1:0",
      "--web-listen=127.0.0.1:0",
      `--store=${this.#store}`,
    ]);
    this.#started.push(process);
    const { web } = await addressesOf(process);
    const transport = createGrpcWebTransport({ baseUrl: web.origin });
    return {
      process,
      web,
      environments: createClient(EnvironmentService, transport),
      operations: createClient(OperationService, transport),
      diagnostics: createClient(DiagnosticsService, transport),
    };
  }

  async worker(): Promise<WorkerProcess> {
    const worker = await startWorkerProcess(this.#folder, this.temporal.address, [
      `--store=${this.#store}`,
    ]);
    this.#started.push(worker.process);
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#started) process.kill("SIGKILL");
    await Promise.all(this.#started.map(({ status }) => status));
    await this.temporal.stop();
  }
}

type Api = Awaited<ReturnType<World["api"]>>;

const create = ({ environments }: Api, environmentId: string) =>
  environments.createEnvironment({ environmentId, environment: {} });

async function assertSucceeds({ operations }: Api, name: string): Promise<void> {
  const { state } = await operations.waitOperation({ name });
  assert.equal(OperationState[state], "SUCCEEDED");
}

/** What `/readyz` says about the store. */
async function readinessOfStore(url: URL) {
  const { checks } = await (await fetch(new URL("/readyz", url))).json();
  return checks.find(({ name }: { readonly name: string }) => name === "store");
}

async function kill(process: Subprocess): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

Deno.test({
  name: "the API, a worker, Temporal and MongoDB may each be killed alone",
  ...NO_SANITIZERS,
  fn: (t) =>
    withFolder((folder) =>
      withMongodbServer(async (mongodb) => {
        const step = (name: string, fn: () => Promise<void>) =>
          t.step({ name, ...NO_SANITIZERS, fn });
        await using world = new World(folder, mongodb);
        await world.startTemporal();
        let worker = await world.worker();
        let api = await world.api();
        assert.equal((await api.diagnostics.getServerInfo({})).storage, "mongodb");
        await assertSucceeds(api, (await create(api, "first")).name);
        await step("the API", async () => {
          const { name } = await create(api, "api-dies");
          await kill(api.process);
          api = await world.api();
          await assertSucceeds(api, name);
        });
        await step("the worker", async () => {
          const { name } = await create(api, "worker-dies");
          await kill(worker.process);
          worker = await world.worker();
          await assertSucceeds(api, name);
        });
        await step("Temporal", async () => {
          await world.temporal.stop();
          const { name } = await create(api, "temporal-dies");
          await world.startTemporal();
          await assertSucceeds(api, name);
        });
        for (const [how, id] of [["stop", "mongodb-stops"], ["kill", "mongodb-dies"]] as const) {
          await step(`MongoDB, by ${how}`, async () => {
            await mongodb[how]();
            for (const url of [api.web, worker.health]) {
              await eventually("the store is reported", async () => {
                const store = await readinessOfStore(url);
                assert.deepEqual([store.ready, store.reason], [false, "STORE_UNAVAILABLE"]);
                assert.match(store.message, /^Cannot use the (?:database|store): /);
              });
            }
            await mongodb.start();
            await eventually("the store is ready", async () => {
              assert.equal((await readinessOfStore(api.web)).ready, true);
            });
            await assertSucceeds(api, (await create(api, id)).name);
          });
        }
        const { environments } = await api.environments.listEnvironments({});
        assert.deepEqual(
          environments.map(({ name }) => name),
          ["api-dies", "first", "mongodb-dies", "mongodb-stops", "temporal-dies", "worker-dies"]
            .map((id) => `environments/${id}`),
        );
      })
    ),
});
