import assert from "node:assert/strict";
import type { ApplyCall } from "@mpc/services";
import { Refused } from "../../../../tests/fakes/kubernetes/fake_api_server.ts";
import { FakeKubeClient } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { JOB } from "../client/kinds.ts";
import { type KubernetesObject, MANAGED_BY, MANAGER, REVISION, UID } from "../render/mod.ts";
import { applyObjects } from "./apply.ts";
import type { Desired } from "./desired.ts";

const REF = { ...JOB, namespace: "dev", name: "migrate" };

function migration(revision: number, spec: object = {}): Desired {
  const labels = { [MANAGED_BY]: MANAGER, [UID]: "u-1" };
  const annotations = { [REVISION]: String(revision) };
  const containers = [{ name: "migrate", image: "web:1" }];
  const object: KubernetesObject = {
    ...JOB,
    metadata: { name: "migrate", namespace: "dev", labels, annotations },
    spec: { template: { spec: { containers, restartPolicy: "Never" } }, ...spec },
  };
  return {
    uid: "u-1",
    installation: "test",
    namespace: "dev",
    objects: [object],
    prune: [JOB],
    revision,
  };
}

class World {
  readonly client = new FakeKubeClient();

  constructor() {
    const metadata = { name: "dev" };
    this.client.server.update({ apiVersion: "v1", kind: "Namespace", metadata }, "test");
  }

  async apply(desired: Desired, call: Partial<ApplyCall> = {}) {
    const { signal } = new AbortController();
    const changes = await applyObjects(this.client, desired, { signal, ...call });
    return changes.map(({ action }) => action);
  }

  get job() {
    return this.client.server.get(REF);
  }

  complete(): void {
    const conditions = [{ type: "Complete", status: "True" }];
    this.client.server.update({ ...this.job!, status: { conditions } }, "controller", "status");
  }
}

Deno.test("undo does not create a Job that is gone: it had completed", async () => {
  const world = new World();
  assert.deepEqual(await world.apply(migration(1), { restore: true, dryRun: true }), []);
  assert.deepEqual(await world.apply(migration(1), { restore: true }), []);
  assert.equal(world.job, undefined);
  assert.deepEqual(await world.apply(migration(1, { suspend: true }), { restore: true }), [
    "CREATE",
  ], "a suspended Job does not run");
});

Deno.test("undo keeps a completed Job, which belongs to the restored revision again", async () => {
  const world = new World();
  await world.apply(migration(1));
  world.complete();
  const { uid } = world.job!.metadata;
  await world.apply(migration(2));
  await world.apply(migration(1), { restore: true });
  assert.deepEqual([world.job?.metadata.uid, world.job?.metadata.annotations?.[REVISION]], [
    uid,
    "1",
  ]);
});

Deno.test("undo deletes a Job of the failed revision that has the name of a completed one", async () => {
  const world = new World();
  await world.apply(migration(2));
  assert.deepEqual(await world.apply(migration(1), { restore: true }), ["DELETE"], "it runs");
  assert.equal(world.job, undefined);
  await world.apply(migration(2));
  world.complete();
  world.client.server.admit = (object) => {
    if (object.metadata.annotations?.[REVISION] !== "1") return;
    const causes = [{ reason: "FieldValueInvalid", message: "field is immutable", field: "spec" }];
    throw new Refused({
      code: 422,
      reason: "Invalid",
      message: 'Job.batch "migrate" is invalid: spec.template: field is immutable',
      details: { causes },
    });
  };
  assert.deepEqual(await world.apply(migration(1), { restore: true }), ["DELETE"], "it differs");
  assert.equal(world.job, undefined);
});

Deno.test("a restart does not run a Job again that deletes itself when it ends", async () => {
  const world = new World();
  const temporary = migration(2, { ttlSecondsAfterFinished: 60 });
  assert.deepEqual(await world.apply(temporary, { sameSpec: true }), []);
  assert.deepEqual(await world.apply(temporary), ["CREATE"], "a deployment does");
  const other = new World();
  assert.deepEqual(await other.apply(migration(2), { sameSpec: true }), ["CREATE"]);
});
