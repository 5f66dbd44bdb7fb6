import assert from "node:assert/strict";
import { deployWorkload, restartWorkload, rollbackWorkload, scaleWorkload } from "@mpc/services";
import { parseWorkloadSpec, type WorkloadSpec } from "@mpc/domain";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

const workload = async ({ store }: Platform) => (await store.workloads.get(WEB))!.value;

Deno.test("deploy, scale, restart and rollback each make a revision; numbers are never reused", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await platform.ended(await scaleWorkload(deps, caller, { name: WEB, etag: "", replicas: 5 }));
    await platform.ended(await deploy(platform, "nginx:missing"));
    const token = (await workload(platform)).restartToken;
    await platform.ended(await restartWorkload(deps, caller, { name: WEB, etag: "" }));
    assert.notEqual((await workload(platform)).restartToken, token);
    await platform.ended(
      await rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: 1 }),
    );
    const { activeRevision, spec } = await workload(platform);
    assert.deepEqual([activeRevision, spec.replicas], [5, 5], "the number of replicas is kept");
    const revisions = await store.revisions.list({ limit: 10 });
    assert.deepEqual(revisions.items.map(({ value }) => value.number), [1, 2, 4, 5]);
    const none = rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: 3 });
    const { message } = await rejectsWith(none, "NOT_FOUND", "REVISION_NOT_FOUND");
    assert.match(message, /^Cannot roll back workload 'web': it has no revision 3; see 'mpctl /);
    const negative = rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: -1 });
    await rejectsWith(negative, "INVALID_ARGUMENT", "INVALID_FIELDS");
    await platform.assertSound();
  }));

Deno.test("a rollback goes to the last different spec that worked, past scalings, restarts and failures", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const rollback = (replicas?: number) =>
      rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: 0, replicas });
    const running = async () => {
      const { spec: { image, replicas }, activeRevision } = await workload(platform);
      return [image, replicas, activeRevision];
    };
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    await rejectsWith(rollback(), "FAILED_PRECONDITION", "NO_EARLIER_REVISION");
    await platform.ended(await deploy(platform, "nginx:2"));
    await platform.ended(await scaleWorkload(deps, caller, { name: WEB, etag: "", replicas: 7 }));
    await platform.ended(await restartWorkload(deps, caller, { name: WEB, etag: "" }));
    await platform.ended(await deploy(platform, "nginx:crash"));
    await platform.ended(await rollback());
    assert.deepEqual(await running(), ["nginx:1", 7, 6]);
    await platform.ended(await scaleWorkload(deps, caller, { name: WEB, etag: "", replicas: 4 }));
    await platform.ended(await rollback(3));
    assert.deepEqual(await running(), ["nginx:2", 3, 8], "back to what was rolled back");
    // More scales than a page of revisions.
    for (let replicas = 1; replicas <= 25; replicas++) {
      await platform.ended(await scaleWorkload(deps, caller, { name: WEB, etag: "", replicas }));
    }
    await platform.ended(await rollback());
    assert.deepEqual(await running(), ["nginx:1", 25, 34]);
    await platform.assertSound();
  }));

{
  const specs = {
    fixed: { image: "nginx:1", replicas: 3 },
    wide: { image: "nginx:2", replicas: 5 },
    chart: { chart: { name: "web", version: "1.2.0" } },
    autoscaled: {
      image: "nginx:3",
      resources: { cpu: "100m" },
      autoscaling: { minReplicas: 2, maxReplicas: 9 },
    },
    busier: {
      image: "nginx:4",
      resources: { cpu: "100m" },
      autoscaling: { minReplicas: 4, maxReplicas: 9 },
    },
  };
  const cases: readonly (readonly [keyof typeof specs, keyof typeof specs, number])[] = [
    // The revision to go back to, the present spec, and the replicas afterwards.
    ["fixed", "wide", 5],
    ["fixed", "chart", 3],
    ["fixed", "autoscaled", 7],
    ["chart", "fixed", 0],
    ["chart", "autoscaled", 0],
    ["autoscaled", "fixed", 2],
    ["autoscaled", "chart", 2],
    ["autoscaled", "busier", 2],
  ];
  for (const [before, now, replicas] of cases) {
    for (const revision of [0, 1]) {
      const where = revision === 0 ? "the previous revision" : "revision 1";
      Deno.test(`a rollback from ${now} to ${before} as ${where} has ${replicas} replicas`, () =>
        withPlatform(async (platform) => {
          const { deps, caller, store } = platform;
          await platform.ended(await create(platform));
          await platform.ended(await deploy(platform));
          // The simulated cluster renders no charts and has no autoscaler: the records say so.
          const parsed = (spec: unknown) => parseWorkloadSpec("deploy workload", spec);
          const first = (await store.revisions.get(`${WEB}/revisions/1`))!;
          const earlier = { ...first.value, spec: parsed(specs[before]) };
          await store.revisions.replace(earlier, first.version);
          const { value, version } = (await store.workloads.get(WEB))!;
          const live = { spec: parsed(specs[now]), activeRevision: 2, lastRevision: 2 };
          const second = { ...earlier, name: `${WEB}/revisions/2`, number: 2, spec: live.spec };
          await store.revisions.create(second);
          await store.workloads.replace({ ...value, ...live, readyReplicas: 7 }, version);
          const request = { name: WEB, etag: "", revision };
          const { input } = await platform.ended(await rollbackWorkload(deps, caller, request));
          const { spec } = (input as { wanted: { spec: WorkloadSpec } }).wanted;
          assert.deepEqual(spec, { ...earlier.spec, replicas });
        }));
    }
  }
}

Deno.test("a failed deployment leaves the previous revision running", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { error } = await platform.ended(await deploy(platform, "nginx:crash"));
    assert.equal(error?.reason, "CRASH_LOOP");
    assert.equal(error?.metadata["exitCode"], "1");
    const { state, activeRevision, spec } = await workload(platform);
    assert.deepEqual([state, activeRevision, spec.image], ["DEPLOY_FAILED", 1, "nginx:1.27"]);
    await platform.assertSound();
    assert.equal((await platform.ended(await deploy(platform, "nginx:2"))).state, "SUCCEEDED");
  }));

Deno.test("a spec that is read and sent back keeps its secrets", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const redeploy = (env: Record<string, string>) =>
      deployWorkload(deps, caller, {
        parent: "environments/dev",
        workloadId: "web",
        workload: { spec: { image: "nginx:1.28", env } },
        etag: "",
        timeoutMs: null,
      });
    await platform.ended(await redeploy({ KEY: "(redacted)", NEW: "1" }));
    assert.deepEqual((await workload(platform)).spec.env, { KEY: "secret", NEW: "1" });
    const unknown = await rejectsWith(
      redeploy({ OTHER: "(redacted)" }),
      "INVALID_ARGUMENT",
      "INVALID_FIELDS",
    );
    assert.equal(unknown.violations[0]?.field, "workload.spec.env[OTHER]");
  }));
