/** Claims on a real API server: processes that share a store, a copy, and a restored backup. */
import assert from "node:assert/strict";
import { NO_QUOTA } from "@mpc/domain";
import { systemClock, systemIds } from "@mpc/process";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { claimedProvider } from "../../worker/providers/claimed_provider.ts";
import { ClusterClaims } from "../../worker/providers/cluster_claims.ts";
import {
  HttpKubeClient,
  KubernetesProvider,
  NamespaceMark,
} from "../../worker/providers/kubernetes/mod.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { live, providerSuite, type ProviderWorld } from "./provider_world.ts";

const test = providerSuite();

const LOST = ["FAILED_PRECONDITION", "CLUSTER_CLAIMED_ELSEWHERE"] as const;

/** A process of the platform: its claims, and its provider. */
function open({ server }: ProviderWorld, installation: string, store: Store) {
  const access = { cluster: "test", kubeconfig: server.kubeconfig, context: null };
  const client = new HttpKubeClient({ access, clock: systemClock });
  const marks = new Map([["test", new NamespaceMark(client, installation)]]);
  const claims = new ClusterClaims({ store, clock: systemClock, ids: systemIds, marks });
  const bare = new KubernetesProvider({ client, clock: systemClock, installation, charts: null });
  return { claims, provider: claimedProvider(bare, "test", claims) };
}

async function copyOf(store: Store): Promise<Store> {
  const copy = openMemoryStore();
  for (const { value } of (await store.claims.list({ limit: 10 })).items) {
    await copy.claims.create(value);
  }
  return copy;
}

/** Makes the claim look as old as it must be to be renewed. */
async function age(store: Store): Promise<void> {
  const { value, version } = (await store.claims.get("clusters/test"))!;
  await store.claims.replace({ ...value, renewTime: 0 }, version);
}

test("eight processes that share a store claim a new cluster at once, and all hold it", async (world) => {
  const store = openMemoryStore();
  const processes = Array.from({ length: 8 }, () => open(world, "shared", store));
  for (let round = 0; round < 5; round++) {
    await Promise.all(processes.map(({ claims }) => claims.renew(live())));
    assert.equal((await store.claims.get("clusters/test"))?.value.lost, null);
    await age(store);
  }
  await Promise.all(processes.map(({ claims }) => claims.assertHeld("test", live())));
  const text = await world.kubectl([
    ...["get", "namespace", "mpc-shared"],
    ...["-o", "jsonpath={.metadata.annotations.mpc/claim-test}"],
  ]);
  assert.equal(text.split(" ")[0], (await store.claims.get("clusters/test"))?.value.token);
  const { objects, foreign } = await processes[0]!.provider.inventory(live());
  assert.deepEqual(objects, []);
  assert.ok(!foreign.some(({ installation }) => installation === "shared"));
  await Promise.all(processes.map(({ provider }) => provider.close()));
  await store.close();
});

test("a restored backup changes nothing until it takes the cluster over; then the other store changes nothing", async (world) => {
  const original = openMemoryStore();
  const ours = open(world, "restored", original);
  const dev = { environment: "claimed", uid: "uid-claimed", labels: {}, cluster: "test" };
  await ours.provider.applyNamespace({ ...dev, quota: NO_QUOTA }, live());
  const backup = await copyOf(original);
  await age(original);
  await ours.claims.renew(live());
  const theirs = open(world, "restored", backup);
  await rejectsWith(theirs.provider.deleteNamespace(dev, live()), ...LOST);
  await rejectsWith(theirs.provider.applyPolicies({ ...dev, quota: NO_QUOTA }, live()), ...LOST);
  const left = (await theirs.provider.inventory(live())).objects.map(({ object }) => object);
  assert.deepEqual(left, ["Namespace/claimed"]);
  await theirs.claims.takeOver("test", live());
  await theirs.provider.deleteNamespace(dev, live());
  const again = open(world, "restored", original);
  await rejectsWith(again.provider.applyNamespace({ ...dev, quota: NO_QUOTA }, live()), ...LOST);
  assert.notEqual((await original.claims.get("clusters/test"))?.value.lost, null);
  await Promise.all([ours, theirs, again].map(({ provider }) => provider.close()));
  await Promise.all([original.close(), backup.close()]);
});

test("of a store and its copy that renew at once, exactly one holds the cluster", async (world) => {
  for (let round = 0; round < 5; round++) {
    const installation = `race-${round}`;
    const original = openMemoryStore();
    const first = open(world, installation, original);
    await first.claims.renew(live());
    await age(original);
    const copy = await copyOf(original);
    const racers = [open(world, installation, original), open(world, installation, copy)];
    await Promise.all(racers.map(({ claims }) => claims.renew(live())));
    const lost = await Promise.all(
      [original, copy].map(async (store) => (await store.claims.get("clusters/test"))!.value.lost),
    );
    assert.equal(lost.filter((it) => it !== null).length, 1, JSON.stringify(lost));
    await Promise.all([first, ...racers].map(({ provider }) => provider.close()));
    await Promise.all([original.close(), copy.close()]);
  }
});

test("a namespace with claims that somebody deletes is made again", async (world) => {
  const store = openMemoryStore();
  const { claims, provider } = open(world, "deleted", store);
  await claims.renew(live());
  await world.kubectl(["delete", "namespace", "mpc-deleted", "--wait=true"]);
  await age(store);
  await claims.renew(live());
  await claims.assertHeld("test", live());
  assert.equal((await store.claims.get("clusters/test"))?.value.lost, null);
  await provider.close();
  await store.close();
});
