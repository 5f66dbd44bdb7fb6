import assert from "node:assert/strict";
import { NO_QUOTA, parseWorkloadSpec } from "@mpc/domain";
import { withPlatform } from "../fakes/platform.ts";

Deno.test("orphans that are stuck keep the sweep neither from the others nor from its next work", () =>
  withPlatform(async (platform) => {
    const { cluster, store, clock, caller } = platform;
    const environments = Array.from({ length: 120 }, (_, n) => `e-${String(n).padStart(3, "0")}`);
    const last = environments.at(-1)!;
    for (const environment of environments) {
      const image = environment === last ? "nginx:1" : "nginx:sticky";
      const target = { environment, uid: environment, labels: {} };
      await cluster.applyNamespace({ ...target, quota: NO_QUOTA, cluster: "default" }, caller);
      const spec = parseWorkloadSpec("test", { image });
      const rest = { workload: "web", spec, revision: 1, restartToken: "" };
      await cluster.applyWorkload({ ...target, ...rest }, caller);
      await store.orphans.create({
        name: `orphans/${environment}`,
        target: `environments/${environment}/workloads/web`,
        targetUid: environment,
        objects: [],
        operation: "operations/gone",
        createTime: clock.now(),
      });
    }
    const pass = platform.janitor().pass();
    await clock.advance(20_000);
    await pass;
    const left = (await store.orphans.list({ limit: 200 })).items.map(({ value }) => value.name);
    assert.equal(left.length, environments.length - 1, "the others are held by finalizers");
    assert.ok(!left.includes(`orphans/${last}`), "behind them all, one that nothing holds");
  }));
