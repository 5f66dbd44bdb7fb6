/** What waiting costs, and what it outlasts. */
import assert from "node:assert/strict";
import { MpcError, type Residue } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { aSpec } from "../../../../tests/fakes/documents.ts";
import { FakeClock, settle } from "../../../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../../../tests/fakes/kubernetes/fake_cluster.ts";
import type { Verb } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { POD } from "../client/kinds.ts";
import { KubernetesProvider } from "../mod.ts";

const live = () => ({ signal: new AbortController().signal });
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: "dev" };

function workload(name: string, replicas = 2): WorkloadIntent {
  return {
    environment: "dev",
    workload: name,
    uid: `uid-${name}`,
    labels: {},
    spec: aSpec({ replicas, progressDeadlineMs: 600_000 }),
    revision: 1,
    restartToken: "",
  };
}

class World {
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly provider = new KubernetesProvider({
    client: this.cluster.client,
    clock: this.clock,
    charts: null,
  });
  readonly told: string[] = [];

  count(verb: Verb): number {
    return this.cluster.client.requests.get(verb) ?? 0;
  }

  async deploy(intent: WorkloadIntent): Promise<void> {
    await this.provider.applyWorkload(intent, live());
  }

  rollout(intent: WorkloadIntent) {
    return this.provider.awaitRollout(intent, {
      ...live(),
      onProgress: ({ message }) => this.told.push(message),
    });
  }

  /** From now on every call fails, as with a server that does not answer. */
  stopServer(): void {
    this.cluster.client.fault = () =>
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "connection refused" });
    this.cluster.client.server.endWatches();
  }

  startServer(): void {
    this.cluster.client.fault = () => undefined;
  }
}

function worldTest(name: string, use: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    const world = new World();
    try {
      const quota = { workloads: null, cpu: null, memory: null };
      const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota };
      await world.provider.applyNamespace(dev, live());
      await use(world);
    } finally {
      await world.provider.close();
      await world.cluster.close();
    }
  });
}

worldTest("thirty rollouts wait on one watch for each kind", async (world) => {
  const intents = Array.from({ length: 30 }, (_, index) => workload(`web-${index}`));
  for (const intent of intents) await world.deploy(intent);
  const before = world.count("list") + world.count("get");
  const rollouts = intents.map((intent) => world.rollout(intent));
  await world.clock.advance(60_000);
  await Promise.all(rollouts);
  const asked = world.count("list") + world.count("get") - before;
  assert.equal(world.count("watch"), 3, "Deployments, ReplicaSets and pods");
  assert.equal(asked, 30 + 3, "each reads once where it begins, and each watch does");
});

worldTest("a server that stops for 20 s in a rollout is outlasted, and told", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  world.stopServer();
  await world.clock.advance(20_000);
  assert.match(world.told.at(-1) ?? "", /; waiting for the cluster to answer$/);
  world.startServer();
  await world.clock.advance(60_000);
  assert.equal((await rollout).ready, 50);
});

worldTest(
  "a watch that the server ends goes on where it was, without another list",
  async (world) => {
    await world.deploy(workload("web", 50));
    const rollout = world.rollout(workload("web", 50));
    await world.clock.advance(5_000);
    const lists = world.count("list");
    world.cluster.client.server.endWatches();
    await world.clock.advance(60_000);
    assert.equal((await rollout).ready, 50);
    assert.equal(world.count("list"), lists);
  },
);

worldTest("a watch whose version is too old lists again", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  const lists = world.count("list");
  world.stopServer();
  await world.clock.advance(1_000);
  world.cluster.client.server.compact();
  world.startServer();
  await world.clock.advance(60_000);
  assert.equal((await rollout).ready, 50);
  assert.equal(world.count("list"), lists + 3);
});

worldTest("a server that keeps no version is not asked without a pause", async (world) => {
  const fault = world.cluster.client.fault;
  world.cluster.client.fault = (verb) =>
    verb === "watch"
      ? new MpcError("OUT_OF_RANGE", { reason: "WATCH_EXPIRED", message: "too old" })
      : undefined;
  await world.deploy(workload("web"));
  const rollout = world.rollout(workload("web"));
  await world.clock.advance(5_000);
  assert.ok(world.count("watch") < 3 * 10, `${world.count("watch")} watches in 5 s`);
  world.cluster.client.fault = fault;
  await world.clock.advance(60_000);
  assert.equal((await rollout).ready, 2);
});

worldTest("pods that crash are mended by a deployment, and are not taken for it", async (world) => {
  const intent = workload("web");
  await world.deploy(intent);
  const first = world.rollout(intent);
  await world.clock.advance(60_000);
  await first;
  const { server } = world.cluster.client;
  for (const pod of server.list(POD)) {
    const state = { waiting: { reason: "CrashLoopBackOff" } };
    const status = { containerStatuses: [{ name: "web", ready: false, restartCount: 3, state }] };
    server.update({ ...pod, status }, "kubelet", "status");
  }
  const mended = { ...intent, revision: 2, spec: { ...intent.spec, image: "nginx:2" } };
  await world.deploy(mended);
  const rollout = world.rollout(mended);
  await world.clock.advance(60_000);
  assert.equal((await rollout).revision, 2);
});

worldTest(
  "what is deleted in a rollout is noticed, also behind a watch that was down",
  async (world) => {
    for (const down of [false, true]) {
      const intent = workload(down ? "b" : "a", 50);
      await world.deploy(intent);
      const gone = rejectsWith(world.rollout(intent), "NOT_FOUND", "NOT_ON_CLUSTER");
      await world.clock.advance(1_000);
      if (down) world.stopServer();
      world.cluster.client.server.remove({ ...DEPLOYMENT, name: intent.workload });
      if (down) world.cluster.client.server.compact();
      world.startServer();
      await world.clock.advance(30_000);
      await gone;
    }
  },
);

worldTest("a permission that is missing ends the wait, and is named", async (world) => {
  await world.deploy(workload("web", 50));
  world.cluster.client.fault = (verb) =>
    verb === "watch"
      ? new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "may not watch" })
      : undefined;
  const rollout = world.rollout(workload("web", 50));
  await rejectsWith(rollout, "PERMISSION_DENIED", "CLUSTER_FORBIDS");
});

function forbid(world: World): void {
  world.cluster.client.fault = () =>
    new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "may not watch" });
  world.cluster.client.server.endWatches();
}

worldTest("a server that starts, and lets nobody do anything yet, is outlasted", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  forbid(world);
  await world.clock.advance(2_000);
  world.startServer();
  await world.clock.advance(60_000);
  assert.equal((await rollout).ready, 50);
});

worldTest("a permission that is taken away for good ends the wait", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  const ended = rejectsWith(rollout, "PERMISSION_DENIED", "CLUSTER_FORBIDS");
  forbid(world);
  await world.clock.advance(20_000);
  await ended;
});

worldTest("a watch that works again is no trouble, also where nothing changes", async (world) => {
  await world.deploy(workload("web"));
  const first = world.rollout(workload("web"));
  await world.clock.advance(60_000);
  await first;
  world.stopServer();
  await world.clock.advance(5_000);
  world.startServer();
  await world.clock.advance(20_000);
  world.cluster.stopControllers();
  await world.deploy(workload("other"));
  const stop = new AbortController();
  const told: string[] = [];
  const rollout = world.provider.awaitRollout(workload("other"), {
    signal: stop.signal,
    onProgress: ({ message }) => told.push(message),
  });
  await settle();
  stop.abort();
  await rejectsWith(rollout, "CANCELLED", "ABORTED_BY_CALLER");
  assert.deepEqual(told, ["0 of 2 replicas ready"]);
});

worldTest("a rollout that nobody works on ends at its deadline", async (world) => {
  const intent = workload("web", 5);
  await world.deploy(intent);
  await settle();
  world.cluster.stopControllers();
  const rollout = rejectsWith(
    world.rollout(intent),
    "FAILED_PRECONDITION",
    "PROGRESS_DEADLINE_EXCEEDED",
  );
  await world.clock.advance(700_000);
  assert.match((await rollout).message, /is its controller running/);
});

worldTest("a chart without anything that rolls out is done when it is applied", async (world) => {
  const intent = workload("web");
  const chart = { name: "settings", version: "1.0.0", values: {} };
  const settings = { ...intent, spec: aSpec({ image: "", chart }) };
  await rejectsWith(world.rollout(settings), "NOT_FOUND", "NOT_ON_CLUSTER");
  const labels = { "app.kubernetes.io/managed-by": "mpc", "mpc/uid": intent.uid };
  world.cluster.client.server.update({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "web", namespace: "dev", labels },
  }, "mpc");
  assert.equal((await world.rollout(settings)).message, "there is nothing to roll out");
});

worldTest(
  "a finalizer that holds a workload back is named, with how to remove it",
  async (world) => {
    const intent = workload("web");
    await world.deploy({ ...intent, spec: { ...intent.spec, image: "x:sticky" } });
    await world.provider.deleteWorkload(intent, live());
    const told: (readonly Residue[])[] = [];
    const gone = world.provider.awaitWorkloadGone(intent, {
      ...live(),
      onBlocked: (blockers) => told.push(blockers),
    });
    await world.clock.advance(1_000);
    assert.deepEqual(told, [[{
      object: "Deployment/dev/web",
      reason: "finalizer fake.mpc.dev/sticky",
      remedy:
        `kubectl patch deployment web --namespace dev --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`,
    }]]);
    await world.clock.advance(60_000);
    await gone;
  },
);

worldTest(
  "an object that vanishes between its reading and the first list is gone all the same",
  async (world) => {
    const intent = workload("web");
    await world.deploy(intent);
    await world.provider.deleteWorkload(intent, live());
    const { client } = world.cluster;
    const { server } = client;
    // Who waits reads Deployments twice; the watch's own list comes after that.
    let reads = 0;
    const list = client.list.bind(client);
    client.list = async (kind, selection, call) => {
      const isWatch = selection.namespace === undefined;
      if (isWatch) { while (reads < 2) await settle(); }
      const found = await list(kind, selection, call);
      if (kind.kind === "Deployment" && !isWatch && ++reads === 2) {
        server.remove({ ...DEPLOYMENT, name: "web" });
      }
      return found;
    };
    const gone = world.provider.awaitWorkloadGone(intent, live());
    await world.clock.advance(1_000);
    await gone;
  },
);

worldTest(
  "an object that vanishes before its watch has seen it is gone all the same",
  async (world) => {
    const intent = workload("web");
    await world.deploy(intent);
    await world.provider.deleteWorkload(intent, live());
    const { server } = world.cluster.client;
    const gone = world.provider.awaitWorkloadGone(intent, live());
    server.remove({ ...DEPLOYMENT, name: "web" });
    await world.clock.advance(1_000);
    await gone;
  },
);
