import assert from "node:assert/strict";
import {
  createEnvironment,
  type MutationOptions,
  retryOperation,
  updateEnvironment,
} from "@mpc/services";
import { DEFINITIONS } from "@mpc/services/sagas";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, SCENARIOS } from "../fakes/scenarios.ts";

/** Kinds that do not change the objects on a cluster. */
const PLANS_NOTHING: ReadonlySet<string> = new Set([
  "environment.abandon",
  "workload.abandon",
  "platform.claim",
]);

for (const scenario of SCENARIOS) {
  Deno.test(`the plan of ${scenario.title} changes nothing, and its execution makes the planned changes`, () =>
    withPlatform(async (platform) => {
      await scenario.prepare(platform);
      const { store, cluster, caller } = platform;
      const head = await store.events.head();
      const { objects: before } = await cluster.inventory(caller);
      const { plan, operation } = await scenario.request(platform, { validateOnly: true });
      assert.equal(operation, null);
      assert.equal(await store.events.head(), head, "no event");
      assert.deepEqual(
        (await cluster.inventory(caller)).objects,
        before,
        "no change on the cluster",
      );
      const steps = DEFINITIONS[scenario.kind].steps;
      assert.deepEqual(plan?.steps.map(({ name }) => name), steps.map(({ name }) => name));
      const again = await scenario.request(platform, { validateOnly: true });
      assert.deepEqual(again.plan, plan, "the same state gives the same plan");
      const planHash = plan?.planHash ?? "";
      const ended = await platform.ended(await scenario.request(platform, { planHash }));
      assert.equal(ended.state, "SUCCEEDED");
      const after = new Set((await cluster.inventory(caller)).objects.map(({ object }) => object));
      const was = new Set(before.map(({ object }) => object));
      const changes = plan?.changes ?? [];
      const planned = PLANS_NOTHING.has(scenario.kind) ? 0 : 1;
      assert.ok(changes.length >= planned, "the plan names the changes");
      for (const { action, object } of changes) {
        if (action === "CREATE") assert.ok(!was.has(object) && after.has(object), object);
        if (action === "UPDATE") assert.ok(was.has(object) && after.has(object), object);
        if (action === "DELETE") assert.ok(was.has(object) && !after.has(object), object);
      }
    }));
}

Deno.test("a change whose plan is outdated is rejected", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const { plan } = await deploy(platform, "nginx:1", 1, { validateOnly: true });
    await platform.ended(await deploy(platform, "nginx:2"));
    const late = deploy(platform, "nginx:1", 1, { planHash: plan?.planHash ?? "" });
    await rejectsWith(late, "ABORTED", "PLAN_OUTDATED");
  }));

Deno.test("a plan lists each field that changes, and the effect on the quota", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const environment = { quota: { workloads: 5 } };
    await platform.ended(
      await createEnvironment(deps, caller, { environmentId: "dev", environment }),
    );
    await platform.ended(await deploy(platform));
    const { plan } = await deploy(platform, "nginx:1.28", 3, { validateOnly: true });
    const fields = plan?.changes.flatMap(({ fields }) => fields);
    assert.deepEqual(fields, [
      { path: "spec.image", before: '"nginx:1.27"', after: '"nginx:1.28"' },
      { path: "spec.replicas", before: "2", after: "3" },
    ]);
    assert.deepEqual(plan?.quota, [
      { resource: "workloads", before: "1", after: "1", limit: "5" },
    ]);
  }));

Deno.test("a retry can be planned", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const { name } = await platform.ended(await deploy(platform, "nginx:missing"));
    const { plan } = await retryOperation(deps, caller, { name, validateOnly: true });
    assert.deepEqual(plan?.changes.map(({ action, object }) => `${action} ${object}`), [
      "CREATE Secret/dev/web.env",
      "CREATE Deployment/dev/web",
      "CREATE Service/dev/web",
    ]);
  }));

Deno.test("a plan lists changes of an environment's record, and stays valid while time passes", () =>
  withPlatform(async (platform) => {
    const { deps, caller, clock, store } = platform;
    await platform.ended(await create(platform));
    const update = (options: MutationOptions) =>
      updateEnvironment(deps, caller, {
        ...options,
        name: "environments/dev",
        etag: "",
        change: { ttlMs: 3_600_000, deletionProtection: true },
      });
    const { plan } = await update({ validateOnly: true });
    const expireTime = new Date(clock.now() + 3_600_000).toISOString();
    assert.deepEqual(plan?.changes, [{
      action: "UPDATE",
      object: "environments/dev",
      fields: [
        { path: "expire_time", before: "", after: JSON.stringify(expireTime) },
        { path: "deletion_protection", before: "false", after: "true" },
      ],
    }]);
    await clock.advance(5_000);
    await platform.ended(await update({ planHash: plan?.planHash ?? "" }));
    assert.equal(
      (await store.environments.get("environments/dev"))?.value.deletionProtection,
      true,
    );
  }));
