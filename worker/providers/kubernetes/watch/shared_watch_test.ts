/** How many requests waiting needs, and which failures it survives. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { settle } from "../../../../tests/fakes/fake_clock.ts";
import {
  type FakeClusterWorld,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";

worldTest("thirty rollouts share one watch per kind", async (world) => {
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

worldTest("a rollout survives a server outage of 20 s, and reports it", async (world) => {
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
  "a watch that the server ends resumes without another list",
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

worldTest("a server that expires every version is not called without a pause", async (world) => {
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

worldTest("a recovered watch is no longer reported, even if nothing changes", async (world) => {
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

worldTest("a missing permission ends the wait and is named", async (world) => {
  await world.deploy(workload("web", 50));
  world.cluster.client.fault = (verb) =>
    verb === "watch"
      ? new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "may not watch" })
      : undefined;
  const rollout = world.rollout(workload("web", 50));
  await rejectsWith(rollout, "PERMISSION_DENIED", "CLUSTER_FORBIDS");
});

function forbid(world: FakeClusterWorld): void {
  world.cluster.client.fault = () =>
    new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "may not watch" });
  world.cluster.client.server.endWatches();
}

worldTest("a rollout survives a starting server that denies every request", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  forbid(world);
  await world.clock.advance(2_000);
  world.startServer();
  await world.clock.advance(60_000);
  assert.equal((await rollout).ready, 50);
});

worldTest("a permission that is revoked permanently ends the wait", async (world) => {
  await world.deploy(workload("web", 50));
  const rollout = world.rollout(workload("web", 50));
  await world.clock.advance(5_000);
  const ended = rejectsWith(rollout, "PERMISSION_DENIED", "CLUSTER_FORBIDS");
  forbid(world);
  await world.clock.advance(20_000);
  await ended;
});
