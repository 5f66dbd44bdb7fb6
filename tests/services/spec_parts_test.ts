/** The parts of specs and environments besides an image, on the simulated cluster. */
import assert from "node:assert/strict";
import { createEnvironment, deployWorkload, scaleWorkload, updateEnvironment } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
import type { Platform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create } from "../fakes/scenarios.ts";

const NAME = "environments/dev/workloads/web";

const deploySpec = ({ deps, caller }: Platform, spec: unknown, validateOnly = false) =>
  deployWorkload(deps, caller, {
    parent: "environments/dev",
    workloadId: "web",
    workload: { spec },
    etag: "",
    timeoutMs: null,
    validateOnly,
  });

const autoscaled = (maxReplicas: number) => ({
  image: "nginx:1",
  ports: [{ port: 80 }],
  env: { KEY: "secret" },
  resources: { cpu: "100m" },
  volumes: [{ name: "data", path: "/data", storage: { size: "1Gi", shared: true } }],
  ingress: { host: "web.example.com" },
  autoscaling: { minReplicas: 2, maxReplicas },
  disruptionBudget: { maxUnavailable: 1 },
});

Deno.test("a plan names the objects of every part of a spec", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const { plan } = await deploySpec(platform, autoscaled(4), true);
    assert.deepEqual(plan?.changes.map(({ object }) => object), [
      "Secret/dev/web.env",
      "PersistentVolumeClaim/dev/web.data",
      "Deployment/dev/web",
      "Service/dev/web",
      "Ingress/dev/web",
      "HorizontalPodAutoscaler/dev/web",
      "PodDisruptionBudget/dev/web",
    ]);
  }));

Deno.test("a quota is checked with the maximum number of copies of autoscaling", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const environment = { quota: { cpu: "1" } };
    const created = await createEnvironment(deps, caller, { environmentId: "dev", environment });
    await platform.ended(created);
    const greedy = deploySpec(platform, autoscaled(11));
    await rejectsWith(greedy, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
    await platform.ended(await deploySpec(platform, autoscaled(10)));
  }));

Deno.test("a workload with autoscaling cannot be scaled manually", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploySpec(platform, autoscaled(4)));
    const scaled = scaleWorkload(deps, caller, { name: NAME, etag: "", replicas: 3 });
    const { violations } = await rejectsWith(scaled, "INVALID_ARGUMENT", "INVALID_FIELDS");
    assert.deepEqual(violations.map(({ field, rule }) => [field, rule]), [[
      "replicas",
      "AUTOSCALED",
    ]]);
  }));

Deno.test("the simulated cluster renders no charts, and says so in the plan", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const chart = { name: "web", version: "1.0.0", values: { password: "hunter2" } };
    const planned = deploySpec(platform, { chart }, true);
    const error = await rejectsWith(planned, "FAILED_PRECONDITION", "CHARTS_UNSUPPORTED");
    assert.doesNotMatch(error.message, /hunter2/);
  }));

Deno.test("an environment stays on the cluster that it was created on", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    const update = (cluster: string) =>
      updateEnvironment(deps, caller, { name: "environments/dev", etag: "", change: { cluster } });
    const moved = await rejectsWith(update("east"), "INVALID_ARGUMENT", "INVALID_FIELDS");
    assert.deepEqual(moved.violations.map(({ field, rule }) => [field, rule]), [[
      "environment.cluster",
      "IMMUTABLE",
    ]]);
    await platform.ended(await update("default"));
    assert.equal((await store.environments.get("environments/dev"))?.value.cluster, "default");
  }));

Deno.test("a plan rejects an unknown cluster", () =>
  withPlatform(async ({ deps, caller }) => {
    const request = { environmentId: "dev", environment: { cluster: "east" }, validateOnly: true };
    const planned = createEnvironment(deps, caller, request);
    await rejectsWith(planned, "FAILED_PRECONDITION", "UNKNOWN_CLUSTER");
  }));
