import assert from "node:assert/strict";
import { type ErrorCode, MpcError, NO_QUOTA, REASONS, uncheckedError } from "@mpc/domain";
import {
  createEnvironment,
  deleteEnvironment,
  diagnose,
  explainOperation,
  type Finding,
  listLeftovers,
  sweepObjects,
  updateEnvironment,
} from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { ClusterRegistry } from "../../worker/providers/kubernetes/mod.ts";
import { carryOut } from "../fakes/carry_out.ts";
import { anEnvironment, aSpec } from "../fakes/documents.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

/** A namespace without a record. */
const STRANGER = {
  environment: "left",
  uid: "uid-left",
  labels: {},
  quota: NO_QUOTA,
};

Deno.test("doctor names each violation with the command that repairs it", () =>
  withPlatform(async (platform) => {
    const { store, cluster, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { value, version } = (await store.workloads.get(WEB))!;
    const found = async () =>
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy.split(" ")[0]]);
    assert.deepEqual(await found(), []);
    await store.workloads.replace({ ...value, state: "DEPLOYING" }, version);
    assert.deepEqual(await found(), [["RESOURCE_WITHOUT_OPERATION", "mpctl"]]);
    await store.workloads.replace({ ...value, activeRevision: 9 }, version + 1);
    assert.deepEqual(await found(), [["WRONG_REVISION", "mpctl"]]);
    await store.workloads.delete(WEB, version + 2);
    assert.deepEqual(await found(), [
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
    ], "its variables, its deployment and its service");
    await store.workloads.create(value);
    const ref = { environment: "dev", workload: "web", uid: value.uid };
    await cluster.deleteWorkloads([ref], caller);
    assert.deepEqual(await found(), [["RECORD_WITHOUT_OBJECT", "mpctl"]]);
  }));

Deno.test("a resource whose change was lost is repaired by repeating the change, not by deleting it", () =>
  withPlatform(async (platform) => {
    const { store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const environment = (await store.environments.get("environments/dev"))!;
    await store.environments.replace(
      { ...environment.value, state: "UPDATING" },
      environment.version,
    );
    const workload = (await store.workloads.get(WEB))!;
    await store.workloads.replace({ ...workload.value, state: "DEPLOYING" }, workload.version);
    const remedies = (await platform.findings()).map(({ remedy }) => remedy);
    assert.deepEqual(remedies, ["mpctl env update dev", "mpctl workload restart web --env dev"]);
    for (const remedy of remedies) {
      const { state, error } = await platform.ended(await carryOut(platform, remedy));
      assert.equal(state, "SUCCEEDED", `'${remedy}': ${error?.message}`);
    }
    await platform.assertSound();
    assert.equal((await store.workloads.get(WEB))?.value.state, "READY");
  }));

Deno.test("doctor reports nothing about resources that change while it checks", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    let created = 0;
    const changing: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: async () => {
        const request = { environmentId: `new-${created++}`, environment: {} };
        await platform.ended(await createEnvironment(deps, caller, request));
        return await cluster.inventory(caller);
      },
    });
    const { findings } = await diagnose({ ...deps, cluster: changing }, caller);
    assert.deepEqual(findings, []);
    assert.ok(created > 1, "it checked again");
  }));

const UNREADABLE: readonly (readonly [ErrorCode, string, string])[] = [
  ["UNAVAILABLE", "NO_WORKER", "deno task worker"],
  ["UNAVAILABLE", "CLUSTER_UNREACHABLE", "kubectl cluster-info"],
  [
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
    "kubectl apply -f deploy/kubernetes/worker_role.yaml",
  ],
];

Deno.test("a cluster that cannot be read is a finding, and the records are checked anyway", async (t) => {
  for (const [code, reason, remedy] of UNREADABLE) {
    await t.step(reason, () =>
      withPlatform(async (platform) => {
        const { deps, caller, cluster, store } = platform;
        await platform.ended(await create(platform));
        const { value, version } = (await store.environments.get("environments/dev"))!;
        await store.environments.replace({ ...value, state: "UPDATING" }, version);
        let times = 0;
        const unreadable: typeof cluster = Object.assign(Object.create(cluster), {
          inventory: () =>
            Promise.reject(uncheckedError(code, reason, { message: `refused, time ${++times}` })),
        });
        const { findings } = await diagnose({ ...deps, cluster: unreadable }, caller);
        assert.deepEqual(findings.map((found) => [found.invariant, found.subject, found.remedy]), [
          ["RESOURCE_WITHOUT_OPERATION", "environments/dev", "mpctl env update dev"],
          ["CLUSTER_UNREADABLE", "cluster", remedy],
        ]);
      }));
  }
});

Deno.test("a store that cannot be written is a finding, and so is one that cannot be read", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    const { value, version } = (await store.environments.get("environments/dev"))!;
    await store.environments.replace({ ...value, state: "UPDATING" }, version);
    const found = async (broken: Partial<typeof store>) => {
      const { findings } = await diagnose({ ...deps, store: { ...store, ...broken } }, caller);
      return findings.map(({ invariant, subject, remedy }) => [invariant, subject, remedy]);
    };
    const refused = (code: ErrorCode, reason: string, metadata = {}) => () =>
      Promise.reject(uncheckedError(code, reason, { message: "refused", metadata }));
    const full = { assertWritable: refused("RESOURCE_EXHAUSTED", "STORE_FULL") };
    const remedy = REASONS.RESOURCE_EXHAUSTED.STORE_FULL.nextStep;
    assert.deepEqual(await found(full), [
      ["STORE_UNUSABLE", "store", remedy],
      ["RESOURCE_WITHOUT_OPERATION", "environments/dev", "mpctl env update dev"],
    ]);
    const damaged = refused("DATA_LOSS", "STORE_CORRUPT", { resource: "operations/x" });
    const environments = {
      create: damaged,
      get: damaged,
      list: damaged,
      count: damaged,
      replace: damaged,
      delete: damaged,
    };
    assert.deepEqual(await found({ ...full, environments }), [["STORE_UNUSABLE", "store", remedy]]);
    assert.deepEqual(await found({ environments }), [
      ["STORE_UNUSABLE", "operations/x", REASONS.DATA_LOSS.STORE_CORRUPT.nextStep],
    ]);
    const bug = { assertWritable: () => Promise.reject(new TypeError("a bug")) };
    await assert.rejects(found(bug), /a bug/);
  }));

Deno.test("with several clusters, the readable ones are checked, and the others named", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    for (const [id, name] of [["shop", "east"], ["mars", "west"]] as const) {
      const request = { environmentId: id, environment: {} };
      await platform.ended(await createEnvironment(deps, caller, request));
      const { value, version } = (await store.environments.get(`environments/${id}`))!;
      await store.environments.replace({ ...value, cluster: name }, version);
      await cluster.deleteNamespace({ environment: id, uid: value.uid }, caller);
    }
    const { uid } = (await store.environments.get("environments/dev"))!.value;
    await cluster.deleteNamespace({ environment: "dev", uid }, caller);
    await cluster.applyNamespace({ ...STRANGER, cluster: "default" }, caller);
    const error = new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: "Cannot list deployments: cluster 'east' cannot be reached (connection refused)",
    });
    const several: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: async () => ({
        objects: (await cluster.inventory(caller)).objects,
        clusters: ["default", "east"],
        unread: [{ cluster: "east", error }],
      }),
    });
    const away = ["CLUSTER_UNREADABLE", "east", error.message, "kubectl cluster-info"];
    const flat = ({ invariant, subject, message, remedy }: Finding) => [
      invariant,
      subject,
      message,
      remedy,
    ];
    const { findings } = await diagnose({ ...deps, cluster: several }, caller);
    assert.deepEqual(findings.map(flat), [
      away,
      [
        "CLUSTER_UNREADABLE",
        "west",
        "Environment 'mars' is on it, but workers only have 'default', 'east'; give them that " +
        "cluster again, or forget the environment by 'mpctl env delete mars --force --abandon'",
        "deno task worker --clusters-file clusters.yaml",
      ],
      [
        "OBJECT_WITHOUT_RECORD",
        "Namespace/left",
        "It belongs to 'environments/left', which has no record with its uid",
        "mpctl doctor --sweep",
      ],
      [
        "RECORD_WITHOUT_OBJECT",
        "environments/dev",
        "It is READY, but it has no objects on the cluster",
        "mpctl env update dev",
      ],
    ]);
    const swept = await listLeftovers({ ...deps, cluster: several }, caller);
    assert.deepEqual(swept.leftovers.map(({ target }) => target), ["environments/left"]);
    assert.deepEqual(swept.findings.map(flat), [away]);
  }));

Deno.test("orphans on one cluster are swept while another one is unreachable", () => {
  const store = openMemoryStore();
  const away = () =>
    Promise.reject(
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" }),
    );
  return withPlatform(async (platform) => {
    const { caller, cluster } = platform;
    await cluster.applyNamespace({ ...STRANGER, cluster: "default" }, caller);
    const orphan = { operation: "", createTime: platform.clock.now(), objects: [] };
    for (const [id, on] of [["left", "default"], ["away", "east"], ["lost", "west"]] as const) {
      await store.orphans.create({
        ...orphan,
        name: `orphans/uid-${id}`,
        target: `environments/${id}`,
        targetUid: `uid-${id}`,
        cluster: on,
      });
    }
    await platform.janitor().pass();
    assert.deepEqual((await cluster.inventory(caller)).objects, []);
    const waiting = (await store.orphans.list({ limit: 10 })).items;
    assert.deepEqual(waiting.map(({ value }) => value.target), ["environments/away"]);
    const told = (await platform.events()).map(({ reason, message }) => `${reason}: ${message}`);
    assert.deepEqual(told.slice(-2).sort(), [
      "OrphanForgotten: The objects that 'environments/lost' left stay on cluster 'west', which workers no longer have",
      "OrphanSwept: The objects that 'environments/left' left on the cluster are gone",
    ]);
  }, {
    store,
    provider: (bare) =>
      new ClusterRegistry({
        clusters: new Map([
          ["default", bare],
          ["east", Object.assign(Object.create(bare), { deleteNamespace: away })],
        ]),
        findCluster: () => Promise.resolve(undefined),
        clock: new FakeClock(),
      }),
  });
});

Deno.test("an abandoned resource is recorded with its cluster", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const request = { etag: "", force: true, abandon: true, allowMissing: false, timeoutMs: null };
    await platform.ended(
      await deleteEnvironment(deps, caller, { ...request, name: "environments/dev" }),
    );
    const { items } = await store.orphans.list({ limit: 10 });
    assert.deepEqual(items.map(({ value }) => [value.target, value.cluster]).sort(), [
      ["environments/dev", "default"],
      [WEB, "default"],
    ]);
  }));

Deno.test("doctor does not report a bug of its own as a problem of the cluster", () =>
  withPlatform(async ({ deps, caller, cluster }) => {
    const broken: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: () =>
        Promise.reject(new MpcError("INTERNAL", { reason: "UNEXPECTED", message: "a fault" })),
    });
    await rejectsWith(diagnose({ ...deps, cluster: broken }, caller), "INTERNAL", "UNEXPECTED");
  }));

Deno.test("objects without a record are swept from the cluster, and nothing else", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await store.workloads.delete(WEB, (await store.workloads.get(WEB))!.version);
    assert.equal((await platform.findings())[0]?.remedy, "mpctl doctor --sweep");
    const { leftovers } = await listLeftovers(deps, caller);
    assert.deepEqual(leftovers.map(({ target }) => target), [WEB]);
    const head = await store.events.head();
    const changed = { targetUid: leftovers[0]!.targetUid, hash: "other" };
    const gone = { targetUid: "uid-gone", hash: "x" };
    assert.deepEqual(await sweepObjects(deps, caller, { leftovers: [changed, gone] }), {
      operation: null,
      leftovers: [],
      skipped: [changed, gone],
    });
    const nothing = sweepObjects(deps, caller, { leftovers: [] });
    await rejectsWith(nothing, "INVALID_ARGUMENT", "NOTHING_TO_SWEEP");
    assert.equal(await store.events.head(), head, "a list or a refusal changes nothing");
    const swept = await sweepObjects(deps, caller, { leftovers: [...leftovers, gone] });
    assert.deepEqual([swept.leftovers, swept.skipped], [leftovers, [gone]]);
    const { state, actor, kind } = await platform.ended({
      operation: swept.operation!,
      plan: null,
    });
    assert.deepEqual([kind, state, actor], ["platform.sweep", "SUCCEEDED", caller.principal]);
    const audit = (await platform.events()).filter(({ reason }) =>
      reason === "SweepRequested" || reason === "OrphanSwept"
    );
    const name = swept.operation?.value.name;
    assert.deepEqual(
      audit.map(({ reason, actor, target, operation }) => [reason, actor, target, operation]),
      [
        ["SweepRequested", caller.principal, WEB, name],
        ["OrphanSwept", caller.principal, WEB, name],
      ],
    );
    for (const object of leftovers[0]!.objects) {
      assert.ok(audit.every(({ message }) => message.includes(object)), object);
    }
    await platform.assertSound();
    const { objects: left } = await cluster.inventory(caller);
    assert.deepEqual([...new Set(left.map(({ target }) => target))], ["environments/dev"]);
    assert.deepEqual((await listLeftovers(deps, caller)).leftovers, []);
  }));

Deno.test("what changes between the request of a sweep and its first step is left alone", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, cluster } = platform;
    for (const environment of ["a", "b", "c"]) {
      const left = { environment, uid: `uid-${environment}`, labels: {}, quota: NO_QUOTA };
      await cluster.applyNamespace({ ...left, cluster: "default" }, caller);
    }
    const { leftovers } = await listLeftovers(deps, caller);
    await platform.crash();
    const swept = await sweepObjects(deps, caller, { leftovers });
    assert.equal(swept.leftovers.length, 3);
    // One is restored, one grows, one stays as it was listed.
    await store.environments.create(anEnvironment("a"));
    const b = { environment: "b", uid: "uid-b", labels: {}, quota: NO_QUOTA, cluster: "default" };
    await cluster.applyPolicies(b, caller);
    await platform.restart();
    const { state } = await platform.ended({ operation: swept.operation!, plan: null });
    assert.equal(state, "SUCCEEDED");
    const { objects } = await cluster.inventory(caller);
    const targets = [...new Set(objects.map(({ target }) => target))].sort();
    assert.deepEqual(targets, ["environments/a", "environments/b"]);
    const reported = (await platform.events()).filter(({ reason }) => reason === "OrphanSwept");
    assert.deepEqual(reported.map(({ target }) => target), ["environments/c"]);
  }));

Deno.test("a sweep whose cluster is away goes on with the others, and another one does the rest", () => {
  let away = true;
  return withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    for (const environment of ["a", "b"]) {
      const left = { environment, uid: `uid-${environment}`, labels: {}, quota: NO_QUOTA };
      await cluster.applyNamespace({ ...left, cluster: "default" }, caller);
    }
    const { leftovers } = await listLeftovers(deps, caller);
    const { operation } = await sweepObjects(deps, caller, { leftovers });
    const failed = await platform.ended({ operation: operation!, plan: null });
    assert.equal(failed.state, "FAILED");
    const { nextCommand } = await explainOperation(deps, caller, failed.name);
    assert.equal(nextCommand, "mpctl doctor --sweep");
    const targets = async () => (await cluster.inventory(caller)).objects.map((it) => it.target);
    assert.deepEqual(await targets(), ["environments/a"]);
    away = false;
    const repeated = await platform.ended(await carryOut(platform, nextCommand));
    assert.equal(repeated.state, "SUCCEEDED");
    assert.deepEqual(await targets(), []);
  }, {
    provider: (bare) =>
      Object.assign(Object.create(bare) as typeof bare, {
        deleteNamespace(...call: Parameters<typeof bare.deleteNamespace>) {
          if (!away || call[0].environment !== "a") return bare.deleteNamespace(...call);
          return Promise.reject(
            new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" }),
          );
        },
      }),
  });
});

Deno.test("an update without a change applies the environment again", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    const { uid } = (await store.environments.get("environments/dev"))!.value;
    await cluster.deleteNamespace({ environment: "dev", uid }, caller);
    assert.deepEqual(
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy]),
      [
        ["RECORD_WITHOUT_OBJECT", "mpctl env update dev"],
      ],
    );
    const again = { name: "environments/dev", etag: "", change: {} };
    await platform.ended(await updateEnvironment(deps, caller, again));
    await platform.assertSound();
  }));

Deno.test("a chart whose objects have deleted themselves is not missing; one without its objects is", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { value, version } = (await store.workloads.get(WEB))!;
    const chart = { name: "migration", version: "1.0.0", values: {} };
    await store.workloads.replace({ ...value, spec: aSpec({ image: "", chart }) }, version);
    const ref = { environment: "dev", workload: "web", uid: value.uid };
    await cluster.deleteWorkloads([ref], caller);
    const found = async (missing: readonly string[]) => {
      const changes = missing.map((object) => ({ action: "CREATE", object, fields: [] } as const));
      const drift = (name: string) => Promise.resolve(name === WEB ? changes : []);
      const planner = { ...deps.planner, drift };
      return (await diagnose({ ...deps, planner }, caller)).findings
        .map(({ invariant, subject }) => [invariant, subject]);
    };
    assert.deepEqual(await found([]), []);
    assert.deepEqual(await found(["ConfigMap/dev/web"]), [["RECORD_WITHOUT_OBJECT", WEB]]);
  }));

Deno.test("doctor names a changed access file that cannot be used", () =>
  withPlatform(async (platform) => {
    const problem = new MpcError("INVALID_ARGUMENT", {
      reason: "ACCESS_FILE_INVALID",
      message: "access.yaml:2:1: nonsense: is not a field",
    });
    const deps = { ...platform.deps, accessProblem: () => problem };
    const { findings } = await diagnose(deps, platform.caller);
    assert.deepEqual(findings, [{
      invariant: "ACCESS_FILE_REFUSED",
      subject: "access file",
      message: `The changed file is not used, the old one stays in force: ${problem.message}`,
      remedy: "Correct the access file at the line that the error names",
    }]);
  }));
