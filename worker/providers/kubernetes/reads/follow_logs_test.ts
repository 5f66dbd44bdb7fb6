import assert from "node:assert/strict";
import type { LogQuery, WorkloadIntent } from "@mpc/services";
import { aSpec } from "../../../../tests/fakes/documents.ts";
import { FakeClock, settle } from "../../../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../../../tests/fakes/kubernetes/fake_cluster.ts";
import { POD } from "../client/kinds.ts";
import { KubernetesProvider } from "../mod.ts";

const live = () => ({ signal: new AbortController().signal });
const WEB = { environment: "dev", workload: "web", uid: "uid-web" };

const web = (image: string, revision: number): WorkloadIntent => ({
  ...WEB,
  labels: {},
  spec: aSpec({ replicas: 1, image }),
  revision,
  restartToken: "",
});

class World {
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly provider = new KubernetesProvider({
    client: this.cluster.client,
    clock: this.clock,
    charts: null,
  });

  async deploy(image: string, revision: number): Promise<void> {
    await this.provider.applyWorkload(web(image, revision), live());
    await this.clock.advance(10_000);
  }

  pods(): readonly string[] {
    return this.cluster.client.server.list(POD).map(({ metadata }) => metadata.name);
  }

  /** Follows into a list, until it ends. */
  follow(more: Partial<LogQuery> = {}): { told: string[]; ended: Promise<void> } {
    const told: string[] = [];
    const query = { ...live(), follow: true, tail: null, since: null, replica: null, ...more };
    const read = async () => {
      for await (const { replica, text } of this.provider.logs("dev", "web", query)) {
        told.push(`${replica} ${text}`);
      }
    };
    return { told, ended: read() };
  }
}

function worldTest(name: string, use: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    const world = new World();
    try {
      const quota = { workloads: null, cpu: null, memory: null };
      const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota };
      await world.provider.applyNamespace(dev, live());
      await world.deploy("nginx:1", 1);
      await use(world);
    } finally {
      await world.provider.close();
      await world.cluster.close();
    }
  });
}

worldTest(
  "who follows is told what the pods of a rollout print, until the workload is gone",
  async (world) => {
    const [old] = world.pods();
    const { told, ended } = world.follow();
    await settle();
    assert.deepEqual(told, [`${old} starting`]);
    await world.deploy("nginx:2", 2);
    const [young] = world.pods();
    assert.notEqual(young, old);
    assert.deepEqual(told, [`${old} starting`, `${young} starting`]);
    await world.provider.deleteWorkload(WEB, live());
    await world.clock.advance(10_000);
    await ended;
  },
);

worldTest("a container that is restarted is told anew", async (world) => {
  const { told, ended } = world.follow();
  await settle();
  const { server } = world.cluster.client;
  const [pod] = server.list(POD);
  const running = { name: "web", ready: true, restartCount: 1, state: { running: {} } };
  server.update({ ...pod!, status: { containerStatuses: [running] } }, "kubelet", "status");
  await settle();
  assert.deepEqual(told, Array(2).fill(`${pod!.metadata.name} starting`));
  await world.provider.deleteWorkload(WEB, live());
  await world.clock.advance(10_000);
  await ended;
});

worldTest("who follows one replica is told of that alone, until it has ended", async (world) => {
  const [replica = ""] = world.pods();
  const { told, ended } = world.follow({ replica });
  await ended;
  assert.deepEqual(told, [`${replica} starting`]);
});

worldTest("who stops following is let go of, also where nothing is printed", async (world) => {
  const stop = new AbortController();
  const { ended } = world.follow({ signal: stop.signal });
  await settle();
  stop.abort();
  await ended;
});
