/** Two control planes on one cluster do not touch each other's objects. */
import assert from "node:assert/strict";
import { NO_QUOTA } from "@mpc/domain";
import type { NamespaceIntent } from "@mpc/services";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../../tests/fakes/kubernetes/fake_cluster.ts";
import { live, workload } from "../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { rejectsWith } from "../../../tests/fakes/rejects.ts";
import { KubernetesProvider } from "./mod.ts";

const DEV: NamespaceIntent = {
  environment: "dev",
  uid: "uid-dev",
  cluster: "default",
  labels: {},
  quota: NO_QUOTA,
};

async function withTwo(
  run: (ours: KubernetesProvider, theirs: KubernetesProvider) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const open = (installation: string) =>
    new KubernetesProvider({ client: cluster.client, clock, installation, charts: null });
  const [ours, theirs] = [open("ours"), open("theirs")];
  try {
    await theirs.applyNamespace(DEV, live());
    await theirs.applyPolicies(DEV, live());
    await theirs.applyWorkload(workload("web"), live());
    await run(ours, theirs);
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
    await cluster.close();
  }
}

Deno.test("the inventory counts the objects of another installation and lists none of them", () =>
  withTwo(async (ours, theirs) => {
    const [seen, own] = await Promise.all([ours.inventory(live()), theirs.inventory(live())]);
    assert.deepEqual(seen.objects, []);
    assert.ok(own.objects.length > 5);
    assert.deepEqual(seen.foreign, [
      { cluster: "fake", installation: "theirs", objects: own.objects.length },
    ]);
    assert.deepEqual(own.foreign, []);
  }));

Deno.test("no call changes an object of another installation, also not by its uid", () =>
  withTwo(async (ours, theirs) => {
    const before = await theirs.inventory(live());
    const [ref, web] = [{ environment: "dev", uid: DEV.uid }, {
      environment: "dev",
      uid: "uid-web",
    }];
    assert.deepEqual(await ours.deleteWorkloads([{ ...web, workload: "web" }], live()), []);
    assert.deepEqual(await ours.deletePolicies(ref, live()), []);
    assert.deepEqual(await ours.deleteNamespace(ref, live()), []);
    const owned = ["ALREADY_EXISTS", "OWNED_BY_ANOTHER"] as const;
    await rejectsWith(ours.applyNamespace(DEV, live()), ...owned);
    await rejectsWith(ours.applyPolicies(DEV, live()), ...owned);
    await rejectsWith(ours.applyWorkload(workload("web", 9), live()), ...owned);
    assert.deepEqual(await theirs.inventory(live()), before);
    assert.deepEqual(await theirs.drift(workload("web"), live()), []);
  }));
