/** The API, workers and Temporal as separate processes, started like by a user. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  DiagnosticsService,
  EnvironmentService,
  type Operation,
  OperationService,
  OperationState,
} from "@mpc/proto";
import { freePort } from "@mpc/process";
import { startApiProcess } from "../servers/api_process.ts";
import { checkedLines } from "../servers/log_lines.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import type { PlatformProcess } from "../servers/platform_process.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { startWorkerProcess } from "../servers/worker_process.ts";

/** Why an operation waits while nothing listens at Temporal's address. */
const UNREACHABLE =
  /^engine unreachable since .*: Cannot reach Temporal at '127.0.0.1:\d+': Connection refused$/;

function clientsOf({ web }: PlatformProcess) {
  const transport = createGrpcWebTransport({ baseUrl: web.origin });
  return {
    environments: createClient(EnvironmentService, transport),
    operations: createClient(OperationService, transport),
    diagnostics: createClient(DiagnosticsService, transport),
  };
}

type Clients = ReturnType<typeof clientsOf>;

const create = ({ environments }: Clients, environmentId: string) =>
  environments.createEnvironment({ environmentId, environment: {} });

async function assertSucceeds({ operations }: Clients, { name }: Operation): Promise<void> {
  const { state } = await operations.waitOperation({ name });
  assert.equal(OperationState[state], "SUCCEEDED");
}

Deno.test(
  "operations admitted before Temporal is up begin in order, and workers replace one another",
  NO_SANITIZERS,
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "mpc-processes-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(directory, { recursive: true }));
    const port = freePort();
    const workers = [];
    for (let index = 0; index < 2; index++) {
      const worker = await startWorkerProcess(directory, `127.0.0.1:${port}`);
      stack.defer(async () => {
        worker.process.kill("SIGKILL");
        await worker.process.status;
      });
      workers.push(worker);
    }
    const [first, second] = workers;
    const api = await startApiProcess(directory, workers.map(({ internal }) => internal));
    stack.defer(() => api.kill());
    const clients = clientsOf(api);

    const waiting = [await create(clients, "a"), await create(clients, "b")];
    for (const { name } of waiting) {
      let last = "";
      for await (const { waitingReason } of clients.operations.watchOperation({ name })) {
        last = waitingReason;
        if (UNREACHABLE.test(last)) break;
      }
      assert.match(last, UNREACHABLE, "the watch says why it waits");
    }
    const notReady = await fetch(new URL("/readyz", first!.health));
    assert.equal(notReady.status, 503);
    assert.match(await notReady.text(), /"engine","ready":false,"reason":"ENGINE_UNREACHABLE"/);

    const temporal = await startTemporalServer({ port });
    stack.defer(() => temporal.stop());
    for (const operation of waiting) await assertSucceeds(clients, operation);
    const [a, b] = await Promise.all(
      waiting.map(({ name }) => clients.operations.getOperation({ name })),
    );
    assert.equal(a?.waitingReason, "");
    assert.ok(a?.startTime && b?.startTime && a.startTime.seconds <= b.startTime.seconds);

    const metrics = await fetch(new URL("/metrics", second!.health));
    assert.match(await metrics.text(), /^temporal_\w+_total\{.*namespace="default"/m);

    first?.process.kill("SIGKILL");
    await first?.process.status;
    await assertSucceeds(clients, await create(clients, "c"));
    assert.deepEqual((await clients.diagnostics.diagnose({})).findings, []);

    second?.process.kill("SIGTERM");
    assert.equal((await second?.process.status)?.code, 0);
    const steps = workers.flatMap(({ process }) => checkedLines(process.stdout()))
      .filter(({ category, outcome }) => category === "steps" && outcome === "succeeded");
    for (const { name } of waiting) {
      assert.ok(steps.some(({ operation }) => operation === name), `no step of ${name} is logged`);
    }
  },
);
