import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { FakeKubeClient, type Verb } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { WORKLOAD_KINDS } from "../managed_kinds.ts";
import { KIND_HISTORY, renderWorkload } from "../render/mod.ts";
import { applyObjects, type Desired } from "./apply.ts";

const live = () => ({ signal: new AbortController().signal });
const PORT = { name: "http", port: 80, protocol: "TCP" } as const;

function desired(spec: object, revision = 1): Desired {
  const intent = aWorkloadIntent({ image: "web:1", ...spec }, { revision });
  return {
    uid: intent.uid,
    installation: "test",
    namespace: intent.environment,
    objects: renderWorkload(intent),
    prune: WORKLOAD_KINDS,
    revision,
  };
}

class World {
  readonly client = new FakeKubeClient();

  constructor() {
    const metadata = { name: "dev" };
    this.client.server.update({ apiVersion: "v1", kind: "Namespace", metadata }, "test");
  }

  /** Applies. @returns the changes and the number of requests */
  async apply(wanted: Desired) {
    this.client.requests.clear();
    const changes = await applyObjects(this.client, wanted, live());
    const count = (verb: Verb) => this.client.requests.get(verb) ?? 0;
    return {
      told: changes.map(({ action, object }) => `${action} ${object.split("/")[0]}`),
      asked: { get: count("get"), list: count("list"), apply: count("apply") },
    };
  }

  deployment() {
    const [found] = this.client.server.list({ apiVersion: "apps/v1", kind: "Deployment" });
    assert.ok(found);
    return found;
  }
}

Deno.test("a first deployment reads only the objects that it creates", async () => {
  const { told, asked } = await new World().apply(desired({ ports: [PORT] }));
  assert.deepEqual(told, ["CREATE Service", "CREATE Deployment"]);
  assert.deepEqual(asked, { get: 2, list: 0, apply: 2 });
});

Deno.test("an update prunes the kinds that the workload has ever had", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  const second = await world.apply(desired({}, 2));
  assert.deepEqual(second, {
    told: ["UPDATE Deployment", "DELETE Service"],
    asked: { get: 1, list: 2, apply: 1 },
  });
  const third = await world.apply(desired({ env: { A: "1" } }, 3));
  assert.deepEqual(third.told, ["CREATE Secret", "UPDATE Deployment"]);
  assert.equal(
    world.deployment().metadata.annotations?.[KIND_HISTORY],
    "apps/v1/Deployment,v1/Secret,v1/Service",
  );
});

Deno.test("a failed pruning is repeated by the next apply", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  world.client.fault = (verb) =>
    verb === "delete"
      ? new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" })
      : undefined;
  await assert.rejects(world.apply(desired({}, 2)));
  world.client.fault = () => undefined;
  assert.deepEqual((await world.apply(desired({}, 2))).told, ["DELETE Service"]);
});

Deno.test("objects of a failed revision are pruned when it is undone", async () => {
  const world = new World();
  await world.apply(desired({}));
  world.client.fault = (verb, { kind }) =>
    verb === "apply" && kind === "Deployment"
      ? new MpcError("ABORTED", { reason: "CLUSTER_CONFLICT", message: "somebody else's" })
      : undefined;
  await assert.rejects(world.apply(desired({ env: { KEY: "value" } }, 2)));
  world.client.fault = () => undefined;
  const undone = await world.apply(desired({}));
  assert.deepEqual(undone.told, ["DELETE Secret"]);
  // Without a controller there is neither a kind history nor a revision.
  const settings = (names: readonly string[], revision: number): Desired => ({
    ...desired({}, revision),
    uid: "uid-settings",
    objects: names.map((name) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace: "dev",
        labels: { "app.kubernetes.io/managed-by": "mpc", "mpc/uid": "uid-settings" },
      },
    })),
  });
  await world.apply(settings(["a"], 1));
  await world.apply(settings(["a", "b"], 2));
  assert.deepEqual((await world.apply(settings(["a"], 1))).told, ["DELETE ConfigMap"]);
});

Deno.test("without the kind history, every kind is pruned", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  const deployment = world.deployment();
  const { [KIND_HISTORY]: _, ...annotations } = deployment.metadata.annotations ?? {};
  const metadata = { ...deployment.metadata, annotations };
  world.client.server.update({ ...deployment, metadata }, "somebody");
  const { told, asked } = await world.apply(desired({}, 2));
  assert.deepEqual(told, ["UPDATE Deployment", "DELETE Service"]);
  assert.equal(asked.list, WORKLOAD_KINDS.length);
});
