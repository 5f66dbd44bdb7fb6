import assert from "node:assert/strict";
import type { Residue } from "@mpc/domain";
import { settle } from "../../../../tests/fakes/fake_clock.ts";
import {
  live,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: "dev" };

worldTest(
  "a finalizer that blocks a deletion is named, with the command that removes it",
  async (world) => {
    const intent = workload("web");
    await world.deploy({ ...intent, spec: { ...intent.spec, image: "x:sticky" } });
    await world.provider.deleteWorkloads([intent], live());
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
  "an object that is deleted between its read and the first list counts as deleted",
  async (world) => {
    const intent = workload("web");
    await world.deploy(intent);
    await world.provider.deleteWorkloads([intent], live());
    const { client } = world.cluster;
    const { server } = client;
    // The waiting call reads Deployments once; the list of the watch comes after that.
    let reads = 0;
    const list = client.list.bind(client);
    client.list = async (kind, selection, call) => {
      const isWatch = selection.namespace === undefined;
      if (isWatch) { while (reads < 1) await settle(); }
      const found = await list(kind, selection, call);
      if (kind.kind === "Deployment" && !isWatch && ++reads === 1) {
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
  "an object that is deleted before its watch reports it counts as deleted",
  async (world) => {
    const intent = workload("web");
    await world.deploy(intent);
    await world.provider.deleteWorkloads([intent], live());
    const { server } = world.cluster.client;
    const gone = world.provider.awaitWorkloadGone(intent, live());
    server.remove({ ...DEPLOYMENT, name: "web" });
    await world.clock.advance(1_000);
    await gone;
  },
);

worldTest(
  "waiting for what a deletion has listed, and for a watched namespace, costs no request",
  async (world) => {
    const intents = ["web", "api"].map((name) => workload(name));
    for (const intent of intents) {
      await world.deploy(intent);
      const rollout = world.rollout(intent);
      await world.clock.advance(10_000);
      await rollout;
    }
    const dev = { environment: "dev", uid: "uid-dev" };
    const { provider } = world;
    const deleted = await provider.deleteWorkloads(intents, { ...live(), withNamespace: true });
    assert.equal(deleted.length, 2);
    const requests = () => world.count("list") + world.count("get");
    const before = requests();
    for (const intent of intents) {
      const gone = provider.awaitWorkloadGone(intent, { ...live(), deleted });
      await world.clock.advance(10_000);
      await gone;
    }
    assert.equal(requests() - before, 0);
    // The first one begins the watch.
    const first = provider.awaitNamespaceGone(dev, live());
    await settle();
    const watched = requests();
    const second = provider.awaitNamespaceGone(dev, live());
    await settle();
    assert.equal(requests() - watched, 0);
    await provider.deleteNamespace(dev, live());
    await world.clock.advance(10_000);
    await Promise.all([first, second]);
  },
);
