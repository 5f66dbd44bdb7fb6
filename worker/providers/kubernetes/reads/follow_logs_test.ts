import assert from "node:assert/strict";
import type { LogQuery } from "@mpc/services";
import { settle } from "../../../../tests/fakes/fake_clock.ts";
import {
  type FakeClusterWorld,
  live,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { POD } from "../client/kinds.ts";

async function deploy(world: FakeClusterWorld, image: string, revision: number): Promise<void> {
  const web = workload("web", 1);
  await world.deploy({ ...web, spec: { ...web.spec, image }, revision });
  await world.clock.advance(10_000);
}

function podsOf({ cluster }: FakeClusterWorld): readonly string[] {
  return cluster.client.server.list(POD).map(({ metadata }) => metadata.name);
}

/** Collects the followed lines in an array. */
function follow(
  { provider }: FakeClusterWorld,
  more: Partial<LogQuery> = {},
): { told: string[]; ended: Promise<void> } {
  const told: string[] = [];
  const query = { ...live(), follow: true, tail: null, since: null, replica: null, ...more };
  const read = async () => {
    for await (const { replica, text } of provider.logs("dev", "web", query)) {
      told.push(`${replica} ${text}`);
    }
  };
  return { told, ended: read() };
}

/** Registers a test with a workload `web` that has rolled out. */
function followTest(name: string, use: (world: FakeClusterWorld) => Promise<void>): void {
  worldTest(name, async (world) => {
    await deploy(world, "nginx:1", 1);
    await use(world);
  });
}

followTest(
  "followed logs include the pods of a rollout, and end with the workload",
  async (world) => {
    const [old] = podsOf(world);
    const { told, ended } = follow(world);
    await settle();
    assert.deepEqual(told, [`${old} starting`]);
    await deploy(world, "nginx:2", 2);
    const [young] = podsOf(world);
    assert.notEqual(young, old);
    assert.deepEqual(told, [`${old} starting`, `${young} starting`]);
    await world.provider.deleteWorkloads([workload("web")], live());
    await world.clock.advance(10_000);
    await ended;
  },
);

followTest("the log of a restarted container is read from its beginning", async (world) => {
  const { told, ended } = follow(world);
  await settle();
  const { server } = world.cluster.client;
  const [pod] = server.list(POD);
  const running = { name: "web", ready: true, restartCount: 1, state: { running: {} } };
  server.update({ ...pod!, status: { containerStatuses: [running] } }, "kubelet", "status");
  await settle();
  assert.deepEqual(told, Array(2).fill(`${pod!.metadata.name} starting`));
  await world.provider.deleteWorkloads([workload("web")], live());
  await world.clock.advance(10_000);
  await ended;
});

followTest("following one replica reads only that replica, until it has ended", async (world) => {
  const [replica = ""] = podsOf(world);
  const { told, ended } = follow(world, { replica });
  await ended;
  assert.deepEqual(told, [`${replica} starting`]);
});

followTest("following can be stopped even while nothing is printed", async (world) => {
  const stop = new AbortController();
  const { ended } = follow(world, { signal: stop.signal });
  await settle();
  stop.abort();
  await ended;
});
