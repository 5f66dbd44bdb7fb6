/** How many API requests the deletion of an environment needs. */
import assert from "node:assert/strict";
import { deleteEnvironment, deployWorkload } from "@mpc/services";
import { KubernetesProvider } from "../../worker/providers/kubernetes/kubernetes_provider.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { FakeCluster } from "../fakes/kubernetes/fake_cluster.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";

/** The maximum number of requests per environment, and the additional ones per workload. */
const AT_MOST = { environment: 10, workload: 2 };

async function deployed(platform: Platform, workloadId: string): Promise<void> {
  const spec = { image: "nginx:1", ports: [{ port: 80 }], env: { KEY: "value" } };
  await platform.ended(
    await deployWorkload(platform.deps, platform.caller, {
      parent: "environments/dev",
      workloadId,
      workload: { spec },
      etag: "",
      timeoutMs: null,
    }),
  );
}

for (const workloads of [0, 1, 3, 10]) {
  Deno.test(`deleting an environment of ${workloads} workloads lists each kind once`, () => {
    const clock = new FakeClock();
    const cluster = new FakeCluster(clock);
    const { client } = cluster;
    const provider = new KubernetesProvider({ client, clock, installation: "test", charts: null });
    return withPlatform(async (platform) => {
      await platform.ended(await create(platform));
      for (let n = 0; n < workloads; n++) await deployed(platform, `web-${n}`);
      client.requests.clear();
      const { state } = await platform.ended(
        await deleteEnvironment(platform.deps, platform.caller, {
          ...{ name: "environments/dev", etag: "", allowMissing: false, timeoutMs: null },
          ...{ force: true, abandon: false },
        }),
      );
      assert.equal(state, "SUCCEEDED");
      const asked = client.requests.values().reduce((sum, count) => sum + count, 0);
      const told = [...client.requests].map(([verb, count]) => `${verb} ${count}`).join(", ");
      console.log(`${workloads} workloads: ${asked} requests (${told})`);
      const most = AT_MOST.environment + workloads * AT_MOST.workload;
      assert.ok(asked <= most, `${asked} requests, at most ${most}: ${told}`);
      assert.deepEqual((await provider.inventory(platform.caller)).objects, [], "nothing is left");
      await provider.close();
      await cluster.close();
    }, { clock, provider: () => provider });
  });
}
