import assert from "node:assert/strict";
import { deployWorkload, restartWorkload, updateEnvironment } from "@mpc/services";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

const limit = ({ deps, caller }: Platform, cpu: string) =>
  updateEnvironment(deps, caller, {
    name: "environments/dev",
    etag: "",
    change: { quota: { workloads: null, cpu, memory: null } },
  });

const deploy = ({ deps, caller }: Platform, workloadId: string, cpu: string) =>
  deployWorkload(deps, caller, {
    parent: "environments/dev",
    workloadId,
    workload: { spec: { image: "nginx:1", replicas: 2, resources: { cpu } } },
    etag: "",
    timeoutMs: null,
  });

Deno.test("workloads that exceed a lowered quota can be restarted, but not grow", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "web", "500m"));
    await platform.ended(await limit(platform, "500m"));
    const restarted = await restartWorkload(deps, caller, { name: WEB, etag: "" });
    const { state, error } = await platform.ended(restarted);
    assert.equal(state, "SUCCEEDED", error?.message ?? "it had no error");
    await rejectsWith(deploy(platform, "web", "501m"), "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
    assert.equal((await platform.ended(await deploy(platform, "web", "400m"))).state, "SUCCEEDED");
    await platform.assertSound();
  }));

Deno.test("a rejection by a quota has the command that raises it enough", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await limit(platform, "1"));
    const { message } = await rejectsWith(
      deploy(platform, "web", "750m"),
      "RESOURCE_EXHAUSTED",
      "QUOTA_EXCEEDED",
    );
    assert.match(message, /raise it with 'mpctl env update dev --max-cpu 1500m'$/);
    await platform.ended(await limit(platform, "1500m"));
    assert.equal((await platform.ended(await deploy(platform, "web", "750m"))).state, "SUCCEEDED");
  }));
