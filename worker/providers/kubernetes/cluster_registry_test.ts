import assert from "node:assert/strict";
import { MpcError, NO_QUOTA } from "@mpc/domain";
import type { Provider } from "@mpc/services";
import { providerContract } from "../../../tests/contract/provider_contract.ts";
import { aSpec } from "../../../tests/fakes/documents.ts";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../../tests/fakes/kubernetes/fake_cluster.ts";
import { rejectsWith } from "../../../tests/fakes/rejects.ts";
import { ClusterRegistry, KubernetesProvider } from "./mod.ts";

const live = () => ({ signal: new AbortController().signal });
const environment = (name: string, cluster: string) => ({
  environment: name,
  uid: `uid-${name}`,
  cluster,
  labels: {},
  quota: NO_QUOTA,
});

interface World {
  readonly registry: ClusterRegistry;
  readonly fakes: readonly FakeCluster[];
  readonly clusters: ReadonlyMap<string, Provider>;
  /** The cluster of each environment that has a record. */
  readonly records: Map<string, string>;
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

function open(names: readonly string[]): World {
  const clock = new FakeClock();
  const fakes = names.map((name) => new FakeCluster(clock, { podMs: 700 }, name));
  const clusters = new Map(
    names.map((name, index) =>
      [
        name,
        new KubernetesProvider({
          client: fakes[index]!.client,
          clock,
          installation: "test",
          charts: null,
        }),
      ] as const
    ),
  );
  const records = new Map<string, string>();
  const registry = new ClusterRegistry({
    clusters,
    findCluster: ({ environment }) => Promise.resolve(records.get(environment)),
    clock,
  });
  return {
    registry,
    fakes,
    clusters,
    records,
    advance: (ms) => clock.advance(ms),
    async close() {
      await registry.close();
      await Promise.all(fakes.map((fake) => fake.close()));
    },
  };
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = open(["default", "east"]);
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

providerContract("kubernetes, two clusters of which one is used", { misbehavingImages: [] }, () => {
  const { registry, ...world } = open(["default", "east"]);
  world.records.set("dev", "default");
  return Promise.resolve({ provider: registry, ...world });
});

const namespaces = async (cluster: Provider | undefined) =>
  (await cluster!.inventory(live())).objects.map(({ object }) => object);

Deno.test("an environment and its workloads are on the cluster that it names", () =>
  withWorld(async ({ registry, clusters, records }) => {
    records.set("dev", "default").set("shop", "east");
    await registry.applyNamespace(environment("dev", "default"), live());
    await registry.applyNamespace(environment("shop", "east"), live());
    await registry.applyWorkload({
      environment: "shop",
      workload: "web",
      uid: "uid-web",
      labels: {},
      spec: aSpec(),
      revision: 1,
      restartToken: "",
    }, live());
    assert.deepEqual(await namespaces(clusters.get("default")), ["Namespace/dev"]);
    assert.deepEqual(await namespaces(clusters.get("east")), [
      "Namespace/shop",
      "Deployment/shop/web",
    ]);
    assert.equal((await registry.inventory(live())).objects.length, 3);
    assert.equal((await registry.rolloutStatus("shop", "web", live()))?.desired, 1);
    assert.equal(await registry.rolloutStatus("gone", "web", live()), undefined);
  }));

Deno.test("an unreachable cluster does not block the others", () =>
  withWorld(async ({ registry, records, fakes }) => {
    const [home, east] = fakes.map(({ client }) => client);
    const away = () =>
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" });
    east!.fault = away;
    records.set("dev", "default").set("shop", "east");
    await registry.assertReachable(live());
    await registry.applyNamespace(environment("dev", "default"), live());
    await rejectsWith(
      registry.applyNamespace(environment("shop", "east"), live()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    // Leftovers without a record may be on the unreachable cluster.
    records.clear();
    const ref = { environment: "dev", uid: "uid-dev" };
    const unknown = registry.deleteNamespace(ref, live());
    await rejectsWith(unknown, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    home!.fault = away;
    await rejectsWith(registry.assertReachable(live()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
  }));

Deno.test("the inventory has the readable clusters, and names the unreadable ones", () =>
  withWorld(async ({ registry, records, fakes, advance }) => {
    const [, east] = fakes.map(({ client }) => client);
    records.set("dev", "default").set("shop", "east");
    await registry.applyNamespace(environment("dev", "default"), live());
    await registry.applyNamespace(environment("shop", "east"), live());
    const tell = async () => {
      const { objects, clusters, unread } = await registry.inventory(live());
      assert.deepEqual(clusters, ["default", "east"]);
      return {
        objects: objects.map(({ cluster, object }) => `${cluster}: ${object}`),
        unread: unread.map(({ cluster, error }) => `${cluster}: ${error.message}`),
      };
    };
    assert.deepEqual(await tell(), {
      objects: ["default: Namespace/dev", "east: Namespace/shop"],
      unread: [],
    });
    east!.fault = () =>
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" });
    const half = { objects: ["default: Namespace/dev"], unread: ["east: no answer"] };
    assert.deepEqual(await tell(), half);
    east!.fault = () =>
      new MpcError("INTERNAL", { reason: "UNEXPECTED", message: "a fault of ours" });
    await rejectsWith(tell(), "INTERNAL", "UNEXPECTED");
    east!.fault = () => undefined;
    east!.list = (_kind, _selection, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const told = tell();
    await advance(8_000);
    assert.deepEqual(await told, {
      ...half,
      unread: ["east: Cannot list what cluster 'east' has: no answer within 8000 ms"],
    });
  }));

Deno.test("objects with a known cluster are not looked for on other clusters", () =>
  withWorld(async ({ registry, records, fakes }) => {
    const [home, east] = fakes.map(({ client }) => client);
    records.set("shop", "east");
    await registry.applyNamespace(environment("shop", "east"), live());
    records.clear();
    home!.fault = () =>
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" });
    const ref = { environment: "shop", uid: "uid-shop", cluster: "east" };
    assert.equal((await registry.deleteNamespace(ref, live())).length, 1);
    assert.ok(east!.requests.get("delete"));
    const lost = registry.deleteNamespace({ ...ref, cluster: "west" }, live());
    await rejectsWith(lost, "FAILED_PRECONDITION", "UNKNOWN_CLUSTER");
  }));

Deno.test("an unknown cluster is named, with the known ones", () =>
  withWorld(async ({ registry, records }) => {
    const unknown = registry.applyNamespace(environment("dev", "west"), live());
    const error = await rejectsWith(unknown, "FAILED_PRECONDITION", "UNKNOWN_CLUSTER");
    assert.match(error.message, /'west', only 'default', 'east'/);
    records.set("dev", "west");
    const ref = { environment: "dev", uid: "uid-dev" };
    for (
      const call of [
        () => registry.deleteNamespace(ref, live()),
        () => registry.pods("dev", "web", live()),
      ]
    ) {
      const gone = await rejectsWith(call(), "FAILED_PRECONDITION", "UNKNOWN_CLUSTER");
      assert.match(gone.message, /its cluster 'west' is not among 'default', 'east'; give workers/);
      assert.match(gone.message, /'mpctl env delete dev --force --abandon'$/);
    }
  }));

Deno.test("objects without a record are deleted on every cluster", () =>
  withWorld(async ({ registry, clusters, records, advance }) => {
    records.set("shop", "east");
    await registry.applyNamespace(environment("shop", "east"), live());
    records.clear();
    const ref = { environment: "shop", uid: "uid-shop" };
    await registry.deleteNamespace(ref, live());
    const gone = registry.awaitNamespaceGone(ref, live());
    await advance(60_000);
    await gone;
    assert.deepEqual(await namespaces(clusters.get("east")), []);
  }));
