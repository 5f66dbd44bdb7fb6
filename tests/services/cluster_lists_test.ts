/** Lists of what clusters have: pages, wildcards in the parent, and clusters that do not answer. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import {
  allowEverything,
  createEnvironment,
  deployWorkload,
  listClusterEvents,
  listPods,
  type Provider,
  type ServiceDeps,
} from "@mpc/services";
import { anEnvironment, aWorkload } from "../fakes/documents.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const WEB = "environments/dev/workloads/web";
const ALL = "environments/-/workloads/-";

type List = typeof listPods | typeof listClusterEvents;

/** All pages of a list, each as the names of its items' workloads. */
async function pagesOf(
  { deps, caller }: Pick<Platform, "deps" | "caller">,
  list: List,
  parent: string,
  pageSize: number,
) {
  const pages = [];
  const unreachable = new Set<string>();
  let pageToken = "";
  do {
    const page = await list(deps, caller, { parent, pageSize, pageToken });
    pages.push(page.items);
    assert.ok(pages.length < 100, "a list comes to its end");
    for (const name of page.unreachable) unreachable.add(name);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return { pages, unreachable: [...unreachable] };
}

/** Two environments; `dev` has `api` and `web`, `test` has `web`, each with three copies. */
async function filled(platform: Platform): Promise<void> {
  const { deps, caller } = platform;
  for (const [environmentId, ids] of [["dev", ["web", "api"]], ["test", ["web"]]] as const) {
    const created = await createEnvironment(deps, caller, { environmentId, environment: {} });
    await platform.ended(created);
    for (const workloadId of ids) {
      await platform.ended(
        await deployWorkload(deps, caller, {
          parent: `environments/${environmentId}`,
          workloadId,
          workload: { spec: { image: "nginx:1", replicas: 3 } },
          etag: "",
          timeoutMs: null,
        }),
      );
    }
  }
}

/** The platform whose reader cannot reach the cluster of these environments. */
function without(deps: ServiceDeps, environments: readonly string[]): ServiceDeps {
  const cluster = deps.cluster as Provider;
  const answers = (environment: string) => {
    if (!environments.includes(environment)) return;
    throw new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: `Cannot reach the cluster of '${environment}'`,
    });
  };
  return {
    ...deps,
    cluster: Object.assign(Object.create(cluster), {
      async pods(...call: Parameters<Provider["pods"]>) {
        answers(call[0]);
        return await cluster.pods(...call);
      },
      async events(...call: Parameters<Provider["events"]>) {
        answers(call[0]);
        return await cluster.events(...call);
      },
    }),
  };
}

Deno.test("pages of any size hold each pod and event once, by workload", () =>
  withPlatform(async (platform) => {
    await filled(platform);
    for (const list of [listPods, listClusterEvents]) {
      const { pages: [whole = []] } = await pagesOf(platform, list, ALL, 1_000);
      const workloads = [...new Set(whole.map(({ workload }) => workload))];
      assert.deepEqual(workloads, [
        "environments/dev/workloads/api",
        WEB,
        "environments/test/workloads/web",
      ]);
      for (let size = 1; size <= whole.length + 1; size++) {
        const { pages } = await pagesOf(platform, list, ALL, size);
        assert.deepEqual(pages.flat(), whole, `pages of ${size}`);
        assert.ok(pages.slice(0, -1).every(({ length }) => length === size), "full pages");
        assert.equal(pages.length, Math.ceil(whole.length / size), "no empty last page");
      }
    }
  }));

Deno.test("a parent names one workload, those of an environment, or those of a name", () =>
  withPlatform(async (platform) => {
    await filled(platform);
    const rows = [
      [WEB, ["dev/web"]],
      ["environments/dev/workloads/-", ["dev/api", "dev/web"]],
      ["environments/-/workloads/web", ["dev/web", "test/web"]],
      ["environments/-/workloads/we", []],
    ] as const;
    for (const [parent, expected] of rows) {
      const { pages } = await pagesOf(platform, listPods, parent, 2);
      const found = new Set(pages.flat().map(({ workload }) => workload));
      const names = expected.map((id) => `environments/${id.replace("/", "/workloads/")}`);
      assert.deepEqual([...found], names, parent);
    }
    const { deps, caller } = platform;
    const page = { pageSize: 0, pageToken: "" };
    const missing = listPods(deps, caller, { ...page, parent: "environments/no/workloads/-" });
    await rejectsWith(missing, "NOT_FOUND", "ENVIRONMENT_NOT_FOUND");
  }));

Deno.test("a cluster that does not answer is named beside what the others answer", () =>
  withPlatform(async (platform) => {
    await filled(platform);
    const { caller } = platform;
    const deps = without(platform.deps, ["test"]);
    for (const list of [listPods, listClusterEvents]) {
      const { pages, unreachable } = await pagesOf({ deps, caller }, list, ALL, 2);
      assert.deepEqual(unreachable, ["environments/test"]);
      assert.ok(pages.flat().length > 0);
      assert.ok(pages.flat().every(({ workload }) => workload.startsWith("environments/dev/")));
      const single = { pageSize: 0, pageToken: "", parent: "environments/test/workloads/web" };
      await rejectsWith(list(deps, caller, single), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
      const none = without(platform.deps, ["dev", "test"]);
      const nothing = await pagesOf({ deps: none, caller }, list, ALL, 2);
      assert.deepEqual(nothing, {
        pages: [[]],
        unreachable: ["environments/dev", "environments/test"],
      });
    }
  }));

Deno.test("a list over many workloads with nothing on a cluster ends its pages early", () =>
  withPlatform(async (platform) => {
    const { store } = platform;
    await store.environments.create(anEnvironment("dev"));
    for (let n = 0; n < 300; n++) await store.workloads.create(aWorkload("dev", `w${n}`));
    const { pages } = await pagesOf(platform, listPods, ALL, 10);
    assert.deepEqual(pages, [[], []], "two pages, after 256 workloads and at the end");
  }));

Deno.test("a page token shows no workload that the caller may not list", () =>
  withPlatform(async (platform) => {
    await filled(platform);
    const { deps, caller } = platform;
    const request = { parent: ALL, pageSize: 1 };
    const { nextPageToken } = await listPods(deps, caller, { ...request, pageToken: "" });
    const [query, keys] = JSON.parse(decodeURIComponent(atob(nextPageToken)));
    const forged = btoa(
      encodeURIComponent(JSON.stringify([query, keys, "environments/test/workloads/web"])),
    );
    const visible = { op: "=", path: ["name"], value: "environments/dev/*" } as const;
    const limited: ServiceDeps = {
      ...deps,
      authorizer: { ...allowEverything, visible: () => Promise.resolve(visible) },
    };
    const { items } = await listPods(limited, caller, { ...request, pageToken: forged });
    assert.deepEqual(items, []);
    const other = listPods(deps, caller, { ...request, parent: WEB, pageToken: nextPageToken });
    await rejectsWith(other, "INVALID_ARGUMENT", "INVALID_FIELDS");
    const negative = listPods(deps, caller, { ...request, pageSize: -1, pageToken: "x" });
    const { violations } = await rejectsWith(negative, "INVALID_ARGUMENT", "INVALID_FIELDS");
    assert.deepEqual(violations.map(({ field }) => field), ["page_size", "page_token"]);
  }));
