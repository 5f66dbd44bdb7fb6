import assert from "node:assert/strict";
import { type ErrorCode, MpcError } from "@mpc/domain";
import { createEnvironment, diagnose, sweepObjects, updateEnvironment } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

Deno.test("doctor names each break with the command that repairs it", () =>
  withPlatform(async (platform) => {
    const { store, cluster, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { value, version } = (await store.workloads.get(WEB))!;
    const found = async () =>
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy.split(" ")[0]]);
    assert.deepEqual(await found(), []);
    await store.workloads.replace({ ...value, state: "DEPLOYING" }, version);
    assert.deepEqual(await found(), [["RESOURCE_WITHOUT_OPERATION", "mpctl"]]);
    await store.workloads.replace({ ...value, activeRevision: 9 }, version + 1);
    assert.deepEqual(await found(), [["WRONG_REVISION", "mpctl"]]);
    await store.workloads.delete(WEB, version + 2);
    assert.deepEqual(await found(), [
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
    ], "its variables, its deployment and its service");
    await store.workloads.create(value);
    const ref = { environment: "dev", workload: "web", uid: value.uid };
    await cluster.deleteWorkload(ref, caller);
    assert.deepEqual(await found(), [["RECORD_WITHOUT_OBJECT", "mpctl"]]);
  }));

Deno.test("doctor finds nothing wrong with what changes while it looks", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    let created = 0;
    const changing: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: async () => {
        const request = { environmentId: `new-${created++}`, environment: {} };
        await platform.ended(await createEnvironment(deps, caller, request));
        return await cluster.inventory(caller);
      },
    });
    const { findings } = await diagnose({ ...deps, cluster: changing }, caller);
    assert.deepEqual(findings, []);
    assert.ok(created > 1, "it looked again");
  }));

const UNREADABLE: readonly (readonly [ErrorCode, string, string])[] = [
  ["UNAVAILABLE", "NO_WORKER", "deno task worker"],
  ["UNAVAILABLE", "CLUSTER_UNREACHABLE", "kubectl cluster-info"],
  [
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
    "kubectl apply -f deploy/kubernetes/worker_role.yaml",
  ],
];

Deno.test("a cluster that cannot be read is a finding, and the records are checked all the same", async (t) => {
  for (const [code, reason, remedy] of UNREADABLE) {
    await t.step(reason, () =>
      withPlatform(async (platform) => {
        const { deps, caller, cluster, store } = platform;
        await platform.ended(await create(platform));
        const { value, version } = (await store.environments.get("environments/dev"))!;
        await store.environments.replace({ ...value, state: "UPDATING" }, version);
        let times = 0;
        const unreadable: typeof cluster = Object.assign(Object.create(cluster), {
          inventory: () =>
            Promise.reject(new MpcError(code, { reason, message: `refused, time ${++times}` })),
        });
        const { findings } = await diagnose({ ...deps, cluster: unreadable }, caller);
        assert.deepEqual(findings.map((found) => [found.invariant, found.subject, found.remedy]), [
          ["RESOURCE_WITHOUT_OPERATION", "environments/dev", "mpctl env delete dev --force"],
          ["CLUSTER_UNREADABLE", "cluster", remedy],
        ]);
      }));
  }
});

Deno.test("doctor does not pass off a fault of its own as one of the cluster", () =>
  withPlatform(async ({ deps, caller, cluster }) => {
    const broken: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: () =>
        Promise.reject(new MpcError("INTERNAL", { reason: "BUG", message: "a fault" })),
    });
    await rejectsWith(diagnose({ ...deps, cluster: broken }, caller), "INTERNAL", "BUG");
  }));

Deno.test("what has no record is swept from the cluster, and nothing else", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await store.workloads.delete(WEB, (await store.workloads.get(WEB))!.version);
    assert.equal((await platform.findings())[0]?.remedy, "mpctl doctor --sweep");
    assert.deepEqual(await sweepObjects(deps, caller), [WEB]);
    await platform.janitor().pass();
    await platform.assertSound();
    const left = await cluster.inventory(caller);
    assert.ok(left.every(({ target }) => target === "environments/dev"));
    assert.deepEqual(await sweepObjects(deps, caller), []);
  }));

Deno.test("an update without a change applies the environment again", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    const { uid } = (await store.environments.get("environments/dev"))!.value;
    await cluster.deleteNamespace({ environment: "dev", uid }, caller);
    assert.deepEqual(
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy]),
      [
        ["RECORD_WITHOUT_OBJECT", "mpctl env update dev"],
      ],
    );
    const again = { name: "environments/dev", etag: "", change: {} };
    await platform.ended(await updateEnvironment(deps, caller, again));
    await platform.assertSound();
  }));
