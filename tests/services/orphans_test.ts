import assert from "node:assert/strict";
import { NO_QUOTA, parseWorkloadSpec } from "@mpc/domain";
import { listLeftovers, sweepObjects } from "@mpc/services";
import { anEnvironment } from "../fakes/documents.ts";
import { carryOut } from "../fakes/carry_out.ts";
import { faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import {
  create,
  deploy,
  removeEnvironment,
  removeWorkload,
  SCENARIOS,
} from "../fakes/scenarios.ts";

Deno.test("orphans that are stuck do not delay the sweep of others, nor its next pass", () =>
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

Deno.test("doctor reports what an abandoned resource left, and a sweep removes it at once", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await platform.ended(await removeWorkload(platform, { abandon: true }));
    const found = await platform.findings();
    assert.deepEqual(found.map(({ subject }) => subject).sort(), [
      "Deployment/dev/web",
      "Secret/dev/web.env",
      "Service/dev/web",
    ]);
    const remedies = new Set(found.map(({ remedy }) => remedy));
    assert.deepEqual([...remedies], ["mpctl doctor --sweep"]);
    for (const remedy of remedies) await platform.ended(await carryOut(platform, remedy));
    await platform.assertSound();
    await platform.janitor().pass();
    assert.equal(await platform.store.orphans.count({}), 0);
  }));

Deno.test("doctor says what blocks abandoned objects that are not gone after a while", () =>
  withPlatform(async (platform) => {
    const { cluster, clock, caller } = platform;
    await platform.ended(await create(platform));
    const held: typeof cluster.deleteWorkloads = () => Promise.reject(new Error("held"));
    Object.assign(cluster, { deleteWorkloads: held });
    await platform.ended(await deploy(platform));
    await platform.ended(await removeWorkload(platform, { abandon: true }));
    const objects = (await cluster.inventory(caller)).objects.map(({ object }) => object);
    assert.ok(objects.includes("Deployment/dev/web"));
    const pass = platform.janitor().pass();
    await clock.advance(20_000);
    await pass;
    await clock.advance(600_000);
    const remedies = (await platform.findings()).map(({ subject, remedy }) => [subject, remedy]);
    assert.deepEqual(
      remedies.find(([subject]) => subject === "Deployment/dev/web"),
      ["Deployment/dev/web", "kubectl get deployment web -n dev -o yaml"],
    );
  }));

Deno.test("orphans of an abandoned environment are swept, even if a new one has its name", () =>
  withPlatform(async (platform) => {
    const { cluster, store, clock, caller } = platform;
    const old = { environment: "dev", uid: "old", labels: {} };
    await cluster.applyNamespace({ ...old, quota: NO_QUOTA, cluster: "default" }, caller);
    await store.environments.create(anEnvironment("dev", { uid: "new", state: "CREATE_FAILED" }));
    const orphan = {
      target: "environments/dev",
      objects: [],
      operation: "operations/gone",
      createTime: clock.now(),
    };
    await store.orphans.create({ ...orphan, name: "orphans/old", targetUid: "old" });
    await store.orphans.create({ ...orphan, name: "orphans/new", targetUid: "new" });
    await platform.janitor().pass();
    const left = (await store.orphans.list({ limit: 9 })).items.map(({ value }) => value.name);
    assert.deepEqual(left, ["orphans/new"], "the environment exists, so nothing of it is swept");
    assert.deepEqual((await cluster.inventory(caller)).objects, []);
    const swept = (await platform.events()).filter(({ reason }) => reason === "OrphanSwept");
    assert.deepEqual(swept.map(({ target }) => target), ["environments/dev"]);
  }));

for (const moment of ["before the sweep is requested", "before it is executed"] as const) {
  Deno.test(`an object that is edited ${moment} is not swept, nor is the namespace around it`, async () => {
    const edit = async ({ cluster, caller }: Platform) => {
      const left = { environment: "left", uid: "uid-left-web", workload: "web", labels: {} };
      const spec = parseWorkloadSpec("test", { image: "nginx:edited" });
      await cluster.applyWorkload({ ...left, spec, revision: 1, restartToken: "" }, caller);
    };
    let atExecution = () => Promise.resolve();
    const { definitions } = faultyDefinitions([{
      kind: "platform.sweep",
      step: "delete_objects",
      async run(run) {
        await atExecution();
        return await run();
      },
    }]);
    await withPlatform(async (platform) => {
      const { deps, caller, cluster } = platform;
      await SCENARIOS.find(({ kind }) => kind === "platform.sweep")!.prepare(platform);
      const { leftovers } = await listLeftovers(deps, caller);
      assert.equal(leftovers.length, 2);
      const isEarly = moment === "before the sweep is requested";
      if (isEarly) await edit(platform);
      else atExecution = () => edit(platform);
      const { operation, skipped } = await sweepObjects(deps, caller, { leftovers });
      assert.equal(skipped.length, isEarly ? 1 : 0);
      const { state } = await platform.ended({ operation: operation!, plan: null });
      assert.equal(state, "SUCCEEDED");
      const { objects } = await cluster.inventory(caller);
      const left = new Set(objects.map(({ target }) => target));
      assert.deepEqual([...left].sort(), leftovers.map(({ target }) => target).sort());
      atExecution = () => Promise.resolve();
      await platform.ended(await carryOut(platform, "mpctl doctor --sweep"));
      assert.deepEqual((await cluster.inventory(caller)).objects, [], "listed again, it is swept");
    }, { definitions });
  });
}

Deno.test("a sweep leaves a namespace with objects of others alone, and says which these are", async () => {
  let others: readonly string[] = ["ConfigMap/left/notes", "PersistentVolumeClaim/left/data"];
  await withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    const left = { environment: "left", uid: "uid-left", labels: {}, quota: NO_QUOTA };
    const gone = { environment: "gone", uid: "uid-gone", labels: {}, quota: NO_QUOTA };
    for (const it of [left, gone]) {
      await cluster.applyNamespace({ ...it, cluster: "default" }, caller);
      await cluster.applyPolicies({ ...it, cluster: "default" }, caller);
    }
    const found = await platform.findings();
    assert.deepEqual(
      found.filter(({ subject }) => subject.includes("left")).map((it) => [it.subject, it.remedy]),
      [["Namespace/left", "kubectl delete namespace left"]],
    );
    const listed = await listLeftovers(deps, caller);
    assert.deepEqual(listed.leftovers.map(({ target }) => target), ["environments/gone"]);
    assert.deepEqual(listed.findings.map(({ subject }) => subject), ["Namespace/left"]);
    for (const object of others) assert.ok(listed.findings[0]?.message.includes(object), object);

    others = [];
    const { leftovers } = await listLeftovers(deps, caller);
    assert.equal(leftovers.length, 2);
    const reasons = async (operation: string) =>
      (await platform.events()).filter((event) =>
        event.operation === operation && event.reason === "SweepSkipped"
      );
    // One is made before the sweep is requested.
    others = ["Pod/left/debug"];
    const early = await sweepObjects(deps, caller, { leftovers });
    assert.deepEqual(early.skipped.map(({ targetUid }) => targetUid), ["uid-left"]);
    await platform.ended({ operation: early.operation!, plan: null });
    const [first, ...more] = await reasons(early.operation!.value.name);
    assert.deepEqual([first?.target, first?.actor, more], [
      "environments/left",
      caller.principal,
      [],
    ]);
    assert.match(first!.message, /Namespace\/left.*Pod\/left\/debug/);
    assert.deepEqual(await targets(platform), ["environments/left"]);
    // One is made before the sweep is executed.
    others = [];
    const again = (await listLeftovers(deps, caller)).leftovers;
    await platform.crash();
    const late = await sweepObjects(deps, caller, { leftovers: again });
    others = ["Secret/left/key"];
    await platform.restart();
    const { state, steps } = await platform.ended({ operation: late.operation!, plan: null });
    assert.equal(state, "SUCCEEDED");
    assert.match(
      steps[0]?.progress ?? "",
      /^nothing is removed; left alone is environments\/left: .*Secret\/left\/key/,
    );
    assert.match((await reasons(late.operation!.value.name))[0]!.message, /Secret\/left\/key/);
    assert.deepEqual(await targets(platform), ["environments/left"]);
    // Once they have been moved, it is swept.
    others = [];
    await platform.ended(await carryOut(platform, "mpctl doctor --sweep"));
    assert.deepEqual(await targets(platform), []);
  }, {
    provider: (bare) =>
      Object.assign(bare, {
        unmanagedObjects: ({ environment }: { environment: string }) =>
          Promise.resolve(environment === "left" ? others : []),
      }),
  });
});

Deno.test("what an abandoned environment left stays while its namespace contains objects of others", async () => {
  let others: readonly string[] = ["PersistentVolumeClaim/dev/data"];
  await withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    const other = { environment: "other", uid: "uid-other", labels: {}, quota: NO_QUOTA };
    await cluster.applyNamespace({ ...other, cluster: "default" }, caller);
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await platform.ended(await removeEnvironment(platform, { abandon: true }));
    await platform.janitor().pass();
    assert.deepEqual((await targets(platform)).sort(), ["environments/dev", "environments/other"]);
    const [found] = (await platform.findings()).filter(({ subject }) =>
      subject === "Namespace/dev"
    );
    assert.equal(found?.remedy, "kubectl delete namespace dev");
    assert.match(found.message, /PersistentVolumeClaim\/dev\/data/);
    const { leftovers } = await listLeftovers(deps, caller);
    assert.deepEqual(leftovers.map(({ target }) => target), ["environments/other"]);
    others = [];
    const pass = platform.janitor().pass();
    await platform.clock.advance(60_000);
    await pass;
    assert.deepEqual(await targets(platform), ["environments/other"], "nothing else is swept");
    assert.equal(await store.orphans.count({}), 0);
  }, {
    provider: (bare) =>
      Object.assign(bare, {
        unmanagedObjects: ({ environment }: { environment: string }) =>
          Promise.resolve(environment === "dev" ? others : []),
      }),
  });
});

const targets = async ({ cluster, caller }: Platform) => [
  ...new Set((await cluster.inventory(caller)).objects.map(({ target }) => target)),
];
