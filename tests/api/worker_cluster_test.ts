/** The cluster as the API reads it, through a worker's internal service. */
import assert from "node:assert/strict";
import { ForeignError, MpcError, NO_QUOTA, recordError } from "@mpc/domain";
import type { Difference, LogLine, Planner, ProviderCall } from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import type { HostedEngine } from "@mpc/worker";
import { DEMO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { WorkerCluster } from "../../api/cluster/worker_cluster.ts";
import { serveInternal } from "../../worker/internal/serve_internal.ts";
import { aSpec } from "../fakes/documents.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const call = { signal: new AbortController().signal };
const ANY_PORT = { host: "127.0.0.1", port: 0 };

/** An engine that is never asked to work. */
const IDLE: HostedEngine = {
  name: "idle",
  start: () => Promise.reject(new Error("not an engine")),
  cancel: () => Promise.reject(new Error("not an engine")),
  status: () => Promise.resolve({ state: "absent" }),
  close: () => Promise.resolve(),
};

interface World {
  readonly clock: FakeClock;
  readonly provider: SimulatedProvider;
  readonly planner: Planner;
  /** The API's side of a worker on `provider`. */
  readonly cluster: WorkerCluster;
  /** Starts another worker's internal service, and returns its URL. */
  serve(sources: Parameters<typeof serveInternal>[0]): Promise<URL>;
  /** Stops all internal services. */
  stop(): Promise<void>;
}

function testWithWorker(title: string, use: (world: World) => Promise<void>): void {
  Deno.test({
    name: `internal: ${title}`,
    // `fetch` keeps connections in its own pool.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const clock = new FakeClock();
      const store = openMemoryStore();
      const provider = new SimulatedProvider({ clock, delays: DEMO_DELAYS, statePath: null });
      const planner = createPlanner(store, provider);
      const servers: Awaited<ReturnType<typeof serveInternal>>[] = [];
      const serve: World["serve"] = async (sources) => {
        const server = await serveInternal(sources, ANY_PORT);
        servers.push(server);
        return new URL(`http://127.0.0.1:${server.address.port}`);
      };
      const stop = async () => {
        await Promise.all(servers.splice(0).map((server) => server.close()));
      };
      const cluster = new WorkerCluster([
        await serve({ cluster: provider, planner, engine: IDLE }),
      ]);
      try {
        await provider.applyNamespace({
          environment: "dev",
          uid: "uid-dev",
          labels: {},
          quota: NO_QUOTA,
          cluster: "default",
        }, call);
        await provider.applyWorkload({
          environment: "dev",
          workload: "web",
          uid: "uid-web",
          labels: {},
          spec: aSpec({ replicas: 2, env: { KEY: "hunter2" } }),
          revision: 3,
          restartToken: "",
        }, call);
        await use({ clock, provider, planner, cluster, serve, stop });
      } finally {
        await stop();
        await provider.close();
        await store.close();
      }
    },
  });
}

const query = { ...call, follow: false, tail: null, since: null, replica: null };

async function read(lines: AsyncIterable<LogLine>): Promise<readonly LogLine[]> {
  return await Array.fromAsync(lines);
}

testWithWorker("what a worker reads arrives unchanged", async (world) => {
  const { clock, provider, cluster } = world;
  await clock.advance(10_000);
  assert.equal(await cluster.provider(), "simulated");
  assert.deepEqual(await cluster.inventory(call), await provider.inventory(call));
  assert.deepEqual(
    await cluster.rolloutStatus("dev", "web", call),
    await provider.rolloutStatus("dev", "web", call),
  );
  assert.equal(await cluster.rolloutStatus("dev", "none", call), undefined);
  const web = ["dev", "web", call] as const;
  assert.equal((await cluster.pods(...web)).length, 2);
  assert.deepEqual(await cluster.pods(...web), await provider.pods(...web));
  assert.ok((await cluster.events(...web)).length > 0);
  assert.deepEqual(await cluster.events(...web), await provider.events(...web));
  const dev = { environment: "dev", uid: "uid-dev" };
  assert.deepEqual(await cluster.unmanagedObjects(dev, call), []);
  const lines = await read(cluster.logs("dev", "web", query));
  assert.ok(lines.length > 2);
  assert.deepEqual(lines, await read(provider.logs("dev", "web", query)));
  const narrow = { ...query, tail: 1, since: clock.now() - 6_000, replica: "web-r3-2" };
  assert.deepEqual(
    await read(cluster.logs("dev", "web", narrow)),
    await read(provider.logs("dev", "web", narrow)),
  );
});

testWithWorker("the objects of others in a namespace arrive", async (world) => {
  const { provider, planner, serve } = world;
  const asked: unknown[] = [];
  const shared: typeof provider = Object.assign(Object.create(provider), {
    unmanagedObjects: (ref: unknown) => {
      asked.push(ref);
      return Promise.resolve(["Pod/dev/debug"]);
    },
  });
  const cluster = new WorkerCluster([await serve({ cluster: shared, planner, engine: IDLE })]);
  const refs = [{ environment: "dev", uid: "u" }, { environment: "dev", uid: "u", cluster: "c" }];
  for (const ref of refs) {
    assert.deepEqual(await cluster.unmanagedObjects(ref, call), ["Pod/dev/debug"]);
  }
  assert.deepEqual(asked, refs);
});

testWithWorker("clusters that a worker cannot read arrive with the reason", async (world) => {
  const { provider, planner, serve } = world;
  const error = new MpcError("PERMISSION_DENIED", {
    reason: "CLUSTER_FORBIDS",
    message: "Cannot list deployments: 'ann' may not list deployments",
    metadata: { cluster: "east" },
  });
  const inventory = { objects: [], foreign: [], clusters: ["default", "east"], unread: [] };
  const half: typeof provider = Object.assign(Object.create(provider), {
    inventory: () => Promise.resolve({ ...inventory, unread: [{ cluster: "east", error }] }),
  });
  const told = await new WorkerCluster([await serve({ cluster: half, planner, engine: IDLE })])
    .inventory(
      call,
    );
  assert.deepEqual({ ...told, unread: [] }, inventory);
  const [unread] = told.unread;
  assert.equal(unread?.cluster, "east");
  assert.deepEqual(recordError(unread?.error), recordError(error));
});

testWithWorker(
  "a plan is made by the worker, and contains no secret",
  async ({ planner, cluster }) => {
    const input = { environment: "dev", uid: "uid-dev", labels: { team: "web" } };
    const plan = ["environment.delete", "environments/dev", input, call.signal] as const;
    const changes = await cluster.changes(...plan);
    assert.ok(changes.length > 0);
    assert.deepEqual(changes, await planner.changes(...plan));
    assert.doesNotMatch(JSON.stringify(changes), /hunter2/);
  },
);

testWithWorker("a resource is compared by the worker", async ({ provider, planner, serve }) => {
  const differences: readonly Difference[] = [
    { action: "CREATE", object: "Service/dev/web", fields: [] },
    {
      action: "UPDATE",
      object: "Namespace/dev",
      fields: [{ path: "metadata.labels[mpc/uid]", before: "", after: '"uid-dev"' }],
      remedy: "kubectl label namespace dev mpc/uid=uid-dev",
    },
  ];
  const asked: string[] = [];
  const drift = (target: string) => {
    asked.push(target);
    return Promise.resolve(differences);
  };
  const cluster = new WorkerCluster([
    await serve({ cluster: provider, planner: { ...planner, drift }, engine: IDLE }),
  ]);
  assert.deepEqual(await cluster.drift("environments/dev", call.signal), differences);
  assert.deepEqual(asked, ["environments/dev"]);
});

testWithWorker("errors of a worker arrive with everything that callers act on", async (world) => {
  const { cluster, provider, planner, serve } = world;
  await rejectsWith(read(cluster.logs("dev", "none", query)), "NOT_FOUND", "NOT_ON_CLUSTER");
  const refusal = new MpcError("RESOURCE_EXHAUSTED", {
    reason: "QUOTA_EXCEEDED",
    message: "Cannot apply the workload: there is no room",
    retryable: false,
    metadata: { limit: "1" },
    cause: new ForeignError("FAILED_PRECONDITION", { reason: "Full", message: "full" }),
  });
  const failing = async (error: unknown) =>
    new WorkerCluster([
      await serve({
        cluster: provider,
        planner: { ...planner, changes: () => Promise.reject(error) },
        engine: IDLE,
      }),
    ]).changes("environment.create", "environments/dev", {}, call.signal);
  const told = await rejectsWith(failing(refusal), "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
  assert.equal(told.message, refusal.message);
  assert.equal(told.retryable, false);
  assert.deepEqual(told.metadata, refusal.metadata);
  assert.equal((told.cause as ForeignError).reason, "Full");
  const unplanned = await rejectsWith(
    failing(new Error("password hunter2")),
    "INTERNAL",
    "UNEXPECTED",
  );
  assert.doesNotMatch(unplanned.message, /hunter2/);
});

testWithWorker("logs are followed until the caller stops", async (world) => {
  const { clock, cluster } = world;
  await clock.advance(10_000);
  const stop = new AbortController();
  const lines = cluster.logs("dev", "web", {
    ...query,
    signal: stop.signal,
    follow: true,
    tail: 1,
  });
  const first = await lines.next();
  assert.match(first.value.text, /served/);
  await lines.next();
  const waiting = lines.next();
  await clock.advance(10_000);
  assert.match((await waiting).value.text, /served/);
  stop.abort();
  await rejectsWith(read(lines), "CANCELLED", "ABORTED_BY_CALLER");
});

testWithWorker("without a worker, reads are UNAVAILABLE and say what to do", async (world) => {
  const { cluster, stop } = world;
  await stop();
  const calls = [
    cluster.inventory(call),
    cluster.rolloutStatus("dev", "web", call),
    cluster.changes("environment.delete", "environments/dev", {}, call.signal),
    read(cluster.logs("dev", "web", query)),
  ];
  for (const refused of calls) {
    const error = await rejectsWith(refused, "UNAVAILABLE", "NO_WORKER");
    assert.equal(error.retryable, true);
    assert.match(
      error.message,
      /^Cannot read the cluster: no worker answers at http:\/\/127\.0\.0\.1:\d+; start one with 'deno task worker'$/,
    );
  }
  assert.equal(await cluster.provider(), "unknown, no worker answers");
});

testWithWorker("if a worker stops, another one is asked", async (world) => {
  const { provider, planner, serve, stop } = world;
  const gone = await serve({ cluster: provider, planner, engine: IDLE });
  await stop();
  const cluster = new WorkerCluster([
    gone,
    await serve({ cluster: provider, planner, engine: IDLE }),
  ]);
  assert.ok((await cluster.inventory(call)).objects.length > 0);
  assert.ok((await cluster.rolloutStatus("dev", "web", call))?.revision === 3);
});

testWithWorker("no worker is asked for a caller that has gone", async ({ cluster }) => {
  const aborted: ProviderCall = { signal: AbortSignal.abort() };
  await rejectsWith(cluster.inventory(aborted), "CANCELLED", "ABORTED_BY_CALLER");
  const logs = read(cluster.logs("dev", "web", { ...query, ...aborted }));
  await rejectsWith(logs, "CANCELLED", "ABORTED_BY_CALLER");
});

testWithWorker("problems of a worker's engine arrive with their commands", async (world) => {
  const { provider, planner, cluster, serve, stop } = world;
  const { signal } = call;
  assert.deepEqual(await cluster.engineProblems(signal), []);
  const problem = new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_HOUSEKEEPING",
    message: "a periodic task is paused",
    metadata: { command: "temporal schedule toggle --unpause" },
  });
  const engine = { ...IDLE, periodicProblem: problem };
  const other = new WorkerCluster([await serve({ cluster: provider, planner, engine })]);
  const [arrived] = await other.engineProblems(signal);
  assert.deepEqual(recordError(arrived), recordError(problem));
  await stop();
  const [nobody] = await other.engineProblems(signal);
  assert.equal(nobody?.reason, "NO_WORKER");
  assert.match(nobody.message, /^Cannot execute operations: no worker answers at http/);
});

testWithWorker(
  "the step that waits for a slot arrives, and nothing does without a worker",
  async (world) => {
    const { provider, planner, serve, stop } = world;
    const { signal } = call;
    const step = { step: "apply_workload", running: 2, waiting: 7 };
    const engine: HostedEngine = {
      ...IDLE,
      queued: (operation) => Promise.resolve(operation === "operations/a" ? step : undefined),
    };
    const cluster = new WorkerCluster([await serve({ cluster: provider, planner, engine })]);
    assert.deepEqual(await cluster.queuedStep("operations/a", signal), step);
    assert.equal(await cluster.queuedStep("operations/b", signal), undefined);
    await stop();
    assert.equal(await cluster.queuedStep("operations/a", signal), undefined);
  },
);
