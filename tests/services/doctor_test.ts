import assert from "node:assert/strict";
import { createEnvironment, diagnose, sweepObjects, updateEnvironment } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
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
