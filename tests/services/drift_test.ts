import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { deployWorkload, reconcileWorkload, restartWorkload } from "@mpc/services";
import { workloadIntentOf } from "@mpc/services/sagas";
import { DriftWatch } from "@mpc/worker";
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
