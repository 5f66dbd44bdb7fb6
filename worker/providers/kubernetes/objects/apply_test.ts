import assert from "node:assert/strict";
import { MpcError, type PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { FakeKubeClient, type Verb } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import {
  AUTOSCALER,
  CONFIG_MAP,
  DEPLOYMENT,
  SECRET,
  SERVICE,
  STATEFUL_SET,
} from "../client/kinds.ts";
import { fieldAt, type ObjectKind } from "../client/kube_object.ts";
import { WORKLOAD_KINDS } from "../managed_kinds.ts";
import { KIND_HISTORY, type KubernetesObject, renderWorkload } from "../render/mod.ts";
import { applyObjects } from "./apply.ts";
import type { Desired } from "./desired.ts";
import { driftOf } from "./drift.ts";
import { pruneObjects } from "./prune.ts";

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

  /** Applies, without pruning. @returns the changes and the number of requests */
  apply(wanted: Desired, call: Partial<ApplyCall> = {}) {
    return this.#measured(() => applyObjects(this.client, wanted, { ...live(), ...call }));
  }

  /** Applies and prunes. @returns the changes and the number of requests */
  update(wanted: Desired, call: Partial<ApplyCall> = {}) {
    return this.#measured(async () => [
      ...await applyObjects(this.client, wanted, { ...live(), ...call }),
      ...await pruneObjects(this.client, wanted, { ...live(), ...call }),
    ]);
  }

  /** The names of the objects of a kind. */
  names(kind: ObjectKind): readonly string[] {
    return this.client.server.list(kind).map(({ metadata }) => metadata.name).sort();
  }

  async #measured(act: () => Promise<readonly PlannedChange[]>) {
    this.client.requests.clear();
    const changes = await act();
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
  const second = await world.update(desired({}, 2));
  assert.deepEqual(second, {
    told: ["UPDATE Deployment", "DELETE Service"],
    asked: { get: 1, list: 2, apply: 1 },
  });
  const third = await world.update(desired({ env: { A: "1" } }, 3));
  assert.deepEqual(third.told, ["CREATE Secret", "UPDATE Deployment"]);
  assert.equal(
    world.deployment().metadata.annotations?.[KIND_HISTORY],
    "apps/v1/Deployment,v1/Secret,v1/Service",
  );
});

Deno.test("applying deletes nothing that pods of the revision before need", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT], env: { A: "1" } }));
  assert.deepEqual((await world.apply(desired({}, 2))).told, ["UPDATE Deployment"]);
  assert.deepEqual([world.names(SERVICE), world.names(SECRET)], [["web"], ["web.env"]]);
});

Deno.test("a controller that another kind replaces exists until the pruning", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT], env: { A: "1" } }));
  const replaced: Desired = { ...desired({}, 2), objects: [controller("StatefulSet")] };
  assert.deepEqual((await world.apply(replaced)).told, ["CREATE StatefulSet"]);
  assert.deepEqual(world.names(DEPLOYMENT), ["web"]);
  const planned = await pruneObjects(world.client, replaced, { ...live(), dryRun: true });
  assert.deepEqual(world.names(DEPLOYMENT), ["web"]);
  assert.deepEqual(await pruneObjects(world.client, replaced, live()), planned);
  assert.deepEqual(
    [DEPLOYMENT, SERVICE, SECRET].map((kind) => world.names(kind)),
    [[], [], []],
    "the kinds of the Deployment are known to the StatefulSet",
  );
});

Deno.test("a Service that selects other pods is switched with the pruning", async () => {
  const world = new World();
  const of = (selector: object, revision: number, more: object = {}): Desired => ({
    ...desired({}, revision),
    objects: [{
      ...SERVICE,
      metadata: controller("Service").metadata,
      spec: { selector, ports: [{ port: 80 }], ...more },
    }, controller(revision === 1 ? "Deployment" : "StatefulSet")],
  });
  const selected = () => fieldAt(world.client.server.list(SERVICE)[0], "spec", "selector");
  await world.apply(of({ app: "old" }, 1));
  const told = (await world.apply(of({ app: "new" }, 2))).told;
  assert.deepEqual(told, ["UPDATE Service", "CREATE StatefulSet"]);
  assert.deepEqual(selected(), { app: "old" });
  await pruneObjects(world.client, of({ app: "new" }, 2), live());
  assert.deepEqual([selected(), world.names(DEPLOYMENT)], [{ app: "new" }, []]);
  await world.apply(of({ app: "newer" }, 3, { clusterIP: "None" }));
  assert.deepEqual(selected(), { app: "newer" }, "peers find one another before they are ready");
});

Deno.test("an autoscaler that is no longer wanted goes before the rollout, its target's replicas with it", async () => {
  const world = new World();
  const autoscaling = { minReplicas: 2, maxReplicas: 4, targetCpuPercent: 80 };
  const resources = { cpu: "100m", memory: null };
  await world.apply(desired({ autoscaling, resources }));
  assert.deepEqual(world.names(AUTOSCALER), ["web"]);
  const fixed = desired({ replicas: 3, resources }, 2);
  const planned = [
    ...await applyObjects(world.client, fixed, { ...live(), dryRun: true }),
    ...await pruneObjects(world.client, fixed, { ...live(), dryRun: true }),
  ];
  const told = planned.map(({ action, object }) => `${action} ${object.split("/")[0]}`);
  assert.deepEqual(told, ["UPDATE Deployment", "DELETE HorizontalPodAutoscaler"]);
  assert.deepEqual((await world.apply(fixed)).told, told);
  assert.deepEqual([world.names(AUTOSCALER), fieldAt(world.deployment(), "spec", "replicas")], [
    [],
    3,
  ]);
});

Deno.test("an autoscaler of others keeps its replicas also when conflicts are forced, until it is gone", async () => {
  const world = new World();
  const { client } = world;
  await world.apply(desired({ replicas: 2 }));
  const scaler = { ...AUTOSCALER, metadata: { name: "theirs", namespace: "dev" } };
  const scaleTargetRef = { ...DEPLOYMENT, name: "web" };
  client.server.update({ ...scaler, spec: { scaleTargetRef, maxReplicas: 9 } }, "kubectl");
  const spec = { ...world.deployment()["spec"] as object, replicas: 5 };
  client.server.update({ ...world.deployment(), spec }, "kube-controller-manager", "scale");
  const replicas = () => fieldAt(world.deployment(), "spec", "replicas");
  const unforced = world.apply(desired({ replicas: 3 }, 2));
  await rejectsWith(unforced, "ABORTED", "FIELD_CONFLICT");
  const wanted = desired({ replicas: 3, image: "web:2" }, 2);
  const force = { forceConflicts: true };
  const planned = await applyObjects(client, wanted, { ...live(), ...force, dryRun: true });
  const applied = await applyObjects(client, wanted, { ...live(), ...force });
  assert.deepEqual(applied, planned, "the plan says it");
  assert.match(planned[0]?.note ?? "", /HorizontalPodAutoscaler\/dev\/theirs.* replicas at 5$/);
  assert.deepEqual(planned[0]?.fields.map(({ path }) => path), [
    "spec.template.spec.containers[web].image",
  ]);
  assert.equal(replicas(), 5);
  const [again] = await applyObjects(client, wanted, { ...live(), ...force });
  assert.deepEqual([again?.fields, again?.note], [[], planned[0]?.note], "it says so each time");
  assert.deepEqual(await driftOf(client, wanted, live()), []);
  client.server.remove({ ...AUTOSCALER, name: "theirs", namespace: "dev" });
  const taken = await applyObjects(client, wanted, { ...live(), ...force });
  assert.deepEqual([replicas(), taken[0]?.note], [3, undefined]);
});

Deno.test("a failed pruning is repeated by the next apply", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  world.client.fault = (verb) =>
    verb === "delete"
      ? new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" })
      : undefined;
  await assert.rejects(world.update(desired({}, 2)));
  world.client.fault = () => undefined;
  assert.deepEqual((await world.update(desired({}, 2))).told, ["DELETE Service"]);
});

Deno.test("objects of a failed revision are pruned when it is undone", async () => {
  const world = new World();
  await world.apply(desired({}));
  world.client.fault = (verb, { kind }) =>
    verb === "apply" && kind === "Deployment"
      ? new MpcError("ABORTED", { reason: "CLUSTER_CONFLICT", message: "somebody else's" })
      : undefined;
  await assert.rejects(world.update(desired({ env: { KEY: "value" } }, 2)));
  world.client.fault = () => undefined;
  const undone = await world.update(desired({}), { restore: true });
  assert.deepEqual(undone.told, ["DELETE Secret"]);
});

Deno.test("without a controller there is no kind history, and undo prunes every kind", async () => {
  const world = new World();
  const settings = (names: readonly string[], revision: number): Desired => ({
    ...desired({}, revision),
    objects: names.map((name) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...controller("ConfigMap").metadata, name },
    })),
  });
  await world.apply(settings(["a"], 1));
  await world.apply(settings(["a", "b"], 2));
  const undone = await world.update(settings(["a"], 1), { restore: true });
  assert.deepEqual(undone.told, ["DELETE ConfigMap"]);
});

Deno.test("undo to revision 1 deletes the failed revision's objects although none of its own is left", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  const failed: Desired = { ...desired({}, 2), objects: [controller("StatefulSet")] };
  await world.update(failed);
  const undone = await world.update(desired({ ports: [PORT] }), { restore: true });
  assert.deepEqual(undone.told, ["CREATE Service", "CREATE Deployment", "DELETE StatefulSet"]);
  assert.deepEqual(world.names(STATEFUL_SET), []);
});

Deno.test("after a failed deployment, every kind is pruned", async () => {
  const world = new World();
  await world.apply(desired({}));
  const { metadata } = controller("ConfigMap");
  const left = { ...CONFIG_MAP, metadata: { ...metadata, name: "left" } };
  world.client.server.update(left, "mpc");
  assert.deepEqual((await world.update(desired({}, 3))).told, []);
  const { told } = await world.update(desired({}, 4), { leftovers: true });
  assert.deepEqual(told, ["DELETE ConfigMap"]);
});

Deno.test("without the kind history, every kind is pruned", async () => {
  const world = new World();
  await world.apply(desired({ ports: [PORT] }));
  const deployment = world.deployment();
  const { [KIND_HISTORY]: _, ...annotations } = deployment.metadata.annotations ?? {};
  const metadata = { ...deployment.metadata, annotations };
  world.client.server.update({ ...deployment, metadata }, "somebody");
  const { told } = await world.update(desired({}, 2));
  assert.deepEqual(told, ["UPDATE Deployment", "DELETE Service"]);
});

Deno.test("an object that somebody else makes after the look is not taken over, even by force", async (t) => {
  for (const forceConflicts of [false, true]) {
    await t.step(forceConflicts ? "by force" : "without force", async () => {
      const world = new World();
      const { client } = world;
      const metadata = { name: "web", namespace: "dev" };
      client.fault = (verb, subject) => {
        if (verb === "apply" && subject.kind === "Service") {
          client.server.update({ ...SERVICE, metadata, spec: { ports: [] } }, "kubectl-create");
        }
        return undefined;
      };
      const error = await rejectsWith(
        world.apply(desired({ ports: [PORT] }), { forceConflicts }),
        "ALREADY_EXISTS",
        "OWNED_BY_ANOTHER",
      );
      assert.equal(error.metadata["owner"], "kubectl-create");
      const service = client.server.get({ ...SERVICE, ...metadata });
      assert.deepEqual(service?.["spec"], { ports: [] });
      assert.deepEqual(world.names(DEPLOYMENT), []);
    });
  }
});

Deno.test("an object that an earlier attempt makes after the look is a conflict to retry", async () => {
  const world = new World();
  const { client } = world;
  const [deployment] = desired({}).objects.filter(({ kind }) => kind === "Deployment");
  client.fault = (verb, subject) => {
    if (verb === "apply" && subject.kind === "Deployment") {
      client.server.update(deployment!, "mpc");
    }
    return undefined;
  };
  const error = await rejectsWith(world.apply(desired({})), "ABORTED", "CLUSTER_CONFLICT");
  assert.equal(error.retryable, true);
  client.fault = () => undefined;
  await world.apply(desired({}));
});

/** A controller without pods, or another object with the same metadata. */
function controller(kind: string): KubernetesObject {
  const [own] = renderWorkload(aWorkloadIntent({ image: "web:1" })).slice(-1);
  assert.ok(own);
  return { ...own, kind };
}
