import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import {
  deployWorkload,
  explainOperation,
  type NamespaceIntent,
  reconcileWorkload,
  restartWorkload,
} from "@mpc/services";
import { workloadIntentOf } from "@mpc/services/sagas";
import { DriftWatch } from "@mpc/worker";
import { carryOut } from "../fakes/carry_out.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";
const live = () => ({ signal: new AbortController().signal });

const web = async ({ store }: Platform) => (await store.workloads.get(WEB))!.value;

const drifted = async (platform: Platform) =>
  (await web(platform)).conditions.find(({ type }) => type === "Drifted");

const watchOf = ({ store, provider, clock, caller: { signal } }: Platform) =>
  new DriftWatch({ store, provider, clock, signal });

async function withWorkload(use: (platform: Platform, watch: DriftWatch) => Promise<void>) {
  await withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await use(platform, watchOf(platform));
  });
}

/** Changes the image on the cluster without the platform. */
async function meddle(platform: Platform, image = "somebody/elses:1"): Promise<void> {
  const intent = workloadIntentOf(await web(platform));
  await platform.cluster.applyWorkload({ ...intent, spec: { ...intent.spec, image } }, live());
}

Deno.test("changes by others on the cluster are in the condition Drifted, with the difference", () =>
  withWorkload(async (platform, watch) => {
    await watch.pass();
    assert.equal(
      await drifted(platform),
      undefined,
      "a workload that never drifted has no condition",
    );
    await meddle(platform);
    await watch.pass();
    const condition = await drifted(platform);
    assert.deepEqual([condition?.status, condition?.reason], ["TRUE", "ChangedByOthers"]);
    assert.match(condition?.message ?? "", /has spec\.image "somebody\/elses:1" in place of/);
  }));

Deno.test("the same drift is reported once, another one again, and so is its end", () =>
  withWorkload(async (platform, watch) => {
    const told = async () =>
      (await platform.store.events.read(0, 1_000)).filter(({ actor }) => actor === "system:drift")
        .map(({ reason }) => reason);
    await meddle(platform);
    for (let pass = 0; pass < 3; pass++) await watch.pass();
    assert.deepEqual(await told(), ["ChangedByOthers"]);
    await meddle(platform, "somebody/elses:2");
    await watch.pass();
    await platform.cluster.applyWorkload(workloadIntentOf(await web(platform)), live());
    await watch.pass();
    assert.deepEqual(await told(), ["ChangedByOthers", "ChangedByOthers", "AsApplied"]);
  }));

Deno.test("reconcileWorkload() reverts drift, and the condition says so", () =>
  withWorkload(async (platform, watch) => {
    await meddle(platform);
    await watch.pass();
    const { deps, caller } = platform;
    const plan = await reconcileWorkload(deps, caller, { name: WEB, etag: "", validateOnly: true });
    assert.match(JSON.stringify(plan.plan?.changes), /somebody\/elses/);
    const { state } = await platform.ended(
      await reconcileWorkload(deps, caller, { name: WEB, etag: "" }),
    );
    assert.equal(state, "SUCCEEDED");
    assert.deepEqual((await drifted(platform))?.status, "FALSE");
    assert.deepEqual(
      await platform.cluster.drift(workloadIntentOf(await web(platform)), live()),
      [],
    );
    await platform.assertSound();
  }));

/** Changes by others to the objects of the environment, and what the condition says of each. */
const MEDDLED: readonly (readonly [
  string,
  (platform: Platform, intent: NamespaceIntent) => Promise<unknown>,
  RegExp,
])[] = [
  [
    "a label of the namespace",
    ({ cluster }, intent) => cluster.applyNamespace({ ...intent, labels: { team: "x" } }, live()),
    /Namespace\/dev has metadata\.labels/,
  ],
  [
    "the quota",
    ({ cluster }, intent) =>
      cluster.applyPolicies({ ...intent, quota: { ...intent.quota, workloads: 99 } }, live()),
    /ResourceQuota\/dev\/quota has spec\.hard\.workloads 99 in place of null/,
  ],
  [
    "the policies",
    ({ cluster }, intent) => cluster.deletePolicies(intent, live()),
    /NetworkPolicy\/dev\/isolation is missing/,
  ],
];

Deno.test("changes by others to an environment are in its condition, and the named command reverts them", async (t) => {
  for (const [what, change, message] of MEDDLED) {
    await t.step(what, () =>
      withWorkload(async (platform, watch) => {
        const { store } = platform;
        const environment = async () => (await store.environments.get("environments/dev"))!.value;
        const condition = async () =>
          (await environment()).conditions.find(({ type }) => type === "Drifted");
        await watch.pass();
        assert.equal(await condition(), undefined);
        const { uid, cluster, labels, quota } = await environment();
        await change(platform, { environment: "dev", uid, cluster, labels, quota });
        await watch.pass();
        const drifted = await condition();
        assert.deepEqual([drifted?.status, drifted?.reason], ["TRUE", "ChangedByOthers"]);
        assert.match(drifted?.message ?? "", message);
        const [, remedy = ""] = /run '([^']+)'$/.exec(drifted?.message ?? "") ?? [];
        assert.equal((await platform.ended(await carryOut(platform, remedy))).state, "SUCCEEDED");
        assert.equal((await condition())?.status, "FALSE");
        await watch.pass();
        await platform.assertSound();
      }));
  }
});

Deno.test("a deployment that somebody deleted is drift in doctor and explain, and reconciling brings it back", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const deployed = await platform.ended(await deploy(platform));
    const watch = watchOf(platform);
    const { uid } = await web(platform);
    // Another workload of the environment keeps its objects.
    const other = await deployWorkload(platform.deps, platform.caller, {
      parent: "environments/dev",
      workloadId: "other",
      workload: { spec: { image: "nginx:1" } },
      etag: "",
      timeoutMs: null,
    });
    await platform.ended(other);
    await platform.cluster.deleteWorkloads([{ environment: "dev", workload: "web", uid }], live());
    await watch.pass();
    const { message = "" } = await drifted(platform) ?? {};
    assert.match(message, /Deployment\/dev\/web is missing/);
    const { deps, caller } = platform;
    const explanation = await explainOperation(deps, caller, deployed.name);
    assert.match(explanation.summary, /succeeded; since then the cluster differs: .* is missing/);
    assert.equal(explanation.responsible, "caller");
    const { nextCommand } = explanation;
    assert.equal(nextCommand, "mpctl workload reconcile web --env dev");
    assert.ok(message.endsWith(`run '${nextCommand}'`));
    assert.equal((await platform.ended(await carryOut(platform, nextCommand))).state, "SUCCEEDED");
    await platform.assertSound();
  }));

Deno.test("a command without which reverting would be refused is the one that explain names", () =>
  withWorkload(async (platform, watch) => {
    const { provider, deps, caller } = platform;
    const remedy = "kubectl label service web --namespace dev --overwrite mpc/uid=uid-web";
    provider.drift = () =>
      Promise.resolve([{
        action: "UPDATE",
        object: "Service/dev/web",
        fields: [{ path: "metadata.labels[mpc/uid]", before: '"x"', after: '"uid-web"' }],
        remedy,
      }]);
    await watch.pass();
    const { message = "" } = await drifted(platform) ?? {};
    assert.ok(message.endsWith(`run '${remedy}'`), message);
    const { lastOperation } = await web(platform);
    assert.equal((await explainOperation(deps, caller, lastOperation!)).nextCommand, remedy);
    assert.equal((await platform.findings())[0]?.remedy, remedy);
  }));

Deno.test("doctor compares object by object, without waiting for the watch", () =>
  withWorkload(async (platform) => {
    const intent = workloadIntentOf(await web(platform));
    const bare = { ...intent, spec: { ...intent.spec, ports: [] } };
    await platform.cluster.applyWorkload(bare, live());
    await platform.cluster.pruneWorkload(bare, live());
    const { uid, cluster, labels, quota } =
      (await platform.store.environments.get("environments/dev"))!.value;
    await platform.cluster.applyPolicies({
      ...{ environment: "dev", uid, cluster, labels },
      quota: { ...quota, cpu: "1" },
    }, live());
    const findings = await platform.findings();
    assert.deepEqual(findings.map(({ invariant, subject }) => [invariant, subject]), [
      ["RESOURCE_DRIFTED", "environments/dev"],
      ["RESOURCE_DRIFTED", WEB],
    ]);
    assert.match(findings[1]?.message ?? "", /Service\/dev\/web is missing/);
    for (const { remedy } of findings) {
      assert.equal((await platform.ended(await carryOut(platform, remedy))).state, "SUCCEEDED");
    }
    await platform.assertSound();
  }));

Deno.test("a resource that cannot be compared for good has the condition UNKNOWN, and is a finding", () =>
  withWorkload(async (platform, watch) => {
    const { provider } = platform;
    const error = new MpcError("NOT_FOUND", {
      reason: "CHART_NOT_FOUND",
      message: "Cannot find the chart",
    });
    const drift = provider.drift.bind(provider);
    provider.drift = () => Promise.reject(error);
    await watch.pass();
    const condition = await drifted(platform);
    assert.deepEqual([condition?.status, condition?.reason], ["UNKNOWN", "CannotCompare"]);
    const [finding] = await platform.findings();
    assert.deepEqual([finding?.invariant, finding?.subject], ["RESOURCE_DRIFTED", WEB]);
    assert.match(finding?.message ?? "", /cannot be compared .*Cannot find the chart/);
    provider.drift = drift;
    await watch.pass();
    assert.equal((await drifted(platform))?.status, "FALSE");
    await platform.assertSound();
  }));

Deno.test("a workload whose deletion failed is not compared: its objects are partly gone", () =>
  withWorkload(async (platform, watch) => {
    const { value, version } = (await platform.store.workloads.get(WEB))!;
    await platform.store.workloads.replace({ ...value, state: "DELETE_FAILED" }, version);
    await meddle(platform);
    await watch.pass();
    assert.equal(await drifted(platform), undefined);
  }));

Deno.test("the value of a secret is not reported, only that it differs", () =>
  withWorkload(async (platform, watch) => {
    const intent = workloadIntentOf(await web(platform));
    const spec = { ...intent.spec, env: { KEY: "hunter2" } };
    await platform.cluster.applyWorkload({ ...intent, spec }, live());
    await watch.pass();
    const { message = "" } = await drifted(platform) ?? {};
    assert.match(message, /KEY "\(redacted\)"/);
    assert.doesNotMatch(message, /hunter2|secret/);
  }));

Deno.test("a workload with a running operation is not compared, and an unreadable one is left for later", () =>
  withWorkload(async (platform, watch) => {
    await meddle(platform);
    const { deps, caller, provider } = platform;
    const drift = provider.drift.bind(provider);
    const asked = Promise.withResolvers<void>();
    provider.drift = async (intent, call) => {
      const found = await drift(intent, call);
      await restartWorkload(deps, caller, { name: WEB, etag: "" });
      asked.resolve();
      return found;
    };
    await watch.pass();
    await asked.promise;
    assert.equal(await drifted(platform), undefined, "an operation came in between");
    await platform.settle();
    provider.drift = () =>
      Promise.reject(
        new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" }),
      );
    await watch.pass();
    assert.equal(await drifted(platform), undefined);
  }));

Deno.test("the result of a comparison is dropped if an operation has begun and ended meanwhile", () =>
  withWorkload(async (platform, watch) => {
    await meddle(platform);
    const { deps, caller, provider } = platform;
    const drift = provider.drift.bind(provider);
    provider.drift = async (intent, call) => {
      const found = await drift(intent, call);
      await platform.ended(await reconcileWorkload(deps, caller, { name: WEB, etag: "" }));
      return found;
    };
    await watch.pass();
    assert.equal(await drifted(platform), undefined, "the operation has reverted it");
  }));

Deno.test("--force-conflicts reaches the cluster, in the deployment, its plan and its undo", () =>
  withWorkload(async (platform) => {
    const { deps, caller, provider } = platform;
    const forced: (boolean | undefined)[] = [];
    const apply = provider.applyWorkload.bind(provider);
    provider.applyWorkload = (intent, call) => {
      forced.push(call.forceConflicts);
      return apply(intent, call);
    };
    const request = {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:crash" } },
      etag: "",
      timeoutMs: null,
      forceConflicts: true,
    };
    await deployWorkload(deps, caller, { ...request, validateOnly: true });
    const { state } = await platform.ended(await deployWorkload(deps, caller, request));
    assert.equal(state, "FAILED");
    assert.deepEqual(forced, [true, true, true]);
  }));
