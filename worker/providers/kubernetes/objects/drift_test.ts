import assert from "node:assert/strict";
import { FakeKubeClient } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { type KubernetesObject, MANAGED_BY, MANAGER, UID } from "../render/mod.ts";
import { applyObjects } from "./apply.ts";
import type { Desired } from "./desired.ts";
import { driftOf } from "./drift.ts";

const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;
const live = () => ({ signal: new AbortController().signal });

function migration(spec: object, annotations: Record<string, string> = {}): Desired {
  const labels = { [MANAGED_BY]: MANAGER, [UID]: "u-1" };
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
    revision: 1,
  };
}

async function driftWhenGone(desired: Desired): Promise<readonly string[]> {
  const client = new FakeKubeClient();
  const metadata = { name: "dev" };
  client.server.update({ apiVersion: "v1", kind: "Namespace", metadata }, "test");
  await applyObjects(client, desired, live());
  assert.deepEqual(await driftOf(client, desired, live()), [], "it is as it was applied");
  const ref = { ...JOB, namespace: "dev", name: "migrate" };
  const { uid = "" } = (await client.get(ref, live()))!.metadata;
  await client.delete(ref, { ...live(), propagation: "Background", uid });
  return (await driftOf(client, desired, live())).map(({ action, object }) =>
    `${action} ${object}`
  );
}

Deno.test("a deleted Job is drift", async () => {
  assert.deepEqual(await driftWhenGone(migration({})), ["CREATE Job/dev/migrate"]);
});

Deno.test("a Job that Kubernetes deletes after it has finished is not drift", async () => {
  assert.deepEqual(await driftWhenGone(migration({ ttlSecondsAfterFinished: 600 })), []);
});

const hook = (policy: string) => ({
  "helm.sh/hook": "pre-upgrade",
  "helm.sh/hook-delete-policy": policy,
});

Deno.test("a hook that is deleted when it has run is not drift, one that is kept until the next is", async () => {
  for (const policy of ["hook-succeeded", "before-hook-creation, hook-failed"]) {
    assert.deepEqual(await driftWhenGone(migration({}, hook(policy))), [], policy);
  }
  const kept = await driftWhenGone(migration({}, hook("before-hook-creation")));
  assert.deepEqual(kept, ["CREATE Job/dev/migrate"]);
});
