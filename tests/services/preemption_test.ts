/** What a deletion stops, what it waits for, and what stops it. */
import assert from "node:assert/strict";
import { cancelOperation, updateEnvironment } from "@mpc/services";
import { releaseResource } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, removeEnvironment, removeWorkload } from "../fakes/scenarios.ts";

const NAME = "environments/dev";
const WORKLOAD = `${NAME}/workloads/web`;

Deno.test("a deletion preempts a running create: stops it first, then deletes", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "environment.create",
    step: "apply_policies",
    run: (_run, _call, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  }]);
  await withPlatform(async (platform) => {
    const created = await create(platform);
    await platform.clock.advance(1_000);
    const deleted = await platform.ended(await removeEnvironment(platform));
    const first = await platform.operation(created.operation!.value.name);
    assert.deepEqual([first.state, deleted.state], ["CANCELLED", "SUCCEEDED"]);
    assert.equal(first.cancellation?.reason, `preempted by ${deleted.name}`);
    assert.ok(
      deleted.startTime! >= first.endTime! - 1,
      "the deletion waited for the running operation",
    );
    assert.equal(await platform.store.environments.get(NAME), undefined);
    await platform.assertSound();
  }, { definitions });
});

Deno.test("a deletion of an environment preempts deployments inside", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "await_rollout", run: hang },
  ]);
  await withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const deployed = await deploy(platform);
    await platform.clock.advance(1_000);
    const { state } = await platform.ended(await removeEnvironment(platform));
    assert.equal(state, "SUCCEEDED");
    assert.equal((await platform.operation(deployed.operation!.value.name)).state, "CANCELLED");
    assert.equal(await platform.store.workloads.count({}), 0);
    await platform.assertSound();
  }, { definitions });
});

Deno.test("another deletion is not preempted, but abandoning preempts it", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const first = await removeEnvironment(platform);
    await platform.clock.advance(100);
    await rejectsWith(removeEnvironment(platform), "ABORTED", "OPERATION_IN_PROGRESS");
    const abandoned = await removeEnvironment(platform, { abandon: true });
    await platform.settle();
    assert.equal((await platform.operation(first.operation!.value.name)).state, "CANCELLED");
    assert.equal((await platform.operation(abandoned.operation!.value.name)).state, "SUCCEEDED");
    assert.equal(await platform.store.environments.get(NAME), undefined);
  }));

Deno.test("abandoning one workload does not stop the deletion of its environment", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const deleting = (await removeEnvironment(platform)).operation!.value.name;
    await platform.clock.advance(100);
    const abandoning = removeWorkload(platform, { abandon: true });
    await rejectsWith(abandoning, "ABORTED", "OPERATION_IN_PROGRESS");
    await platform.settle();
    assert.equal((await platform.operation(deleting)).cancellation, null);
  }));

Deno.test("a queued deletion can be cancelled, and the running operation continues", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "await_rollout", run: hang },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await deploy(platform);
    await platform.clock.advance(100);
    const waiting = await removeWorkload(platform);
    const deletionName = waiting.operation!.value.name;
    const request = { name: deletionName, reason: "changed my mind", validateOnly: false };
    await cancelOperation(deps, caller, request);
    await platform.settle();
    assert.equal((await platform.operation(deletionName)).state, "CANCELLED");
    assert.equal(
      await store.workloads.get(WORKLOAD),
      undefined,
      "the first deployment was cancelled",
    );
    await platform.assertSound();
  }, { definitions });
});

Deno.test("an operation is preempted even if the process ends before it is marked", async () => {
  const store = new FailingStore(openMemoryStore(), new FakeClock());
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "await_rollout", run: hang },
  ]);
  await withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const deploying = (await deploy(platform)).operation!.value.name;
    await platform.clock.advance(100);
    // The deletion's record and its position in the queue are written; the mark on the other is
    // not.
    store.plan("crash", 3);
    await rejectsWith(
      removeWorkload(platform),
      "UNAVAILABLE",
      "STORE_UNAVAILABLE",
    );
    await platform.crash();
    store.heal();
    await platform.restart();
    await platform.clock.advance(1_000);
    await platform.janitor().pass();
    assert.equal((await platform.operation(deploying)).state, "CANCELLED");
    assert.equal(await store.workloads.get(WORKLOAD), undefined);
    await platform.assertSound();
  }, { definitions, store });
});

Deno.test("a queued deletion keeps its turn when its environment is deleted too", () =>
  withPlatform(async (platform) => {
    const { store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { value, version } = (await store.workloads.get(WORKLOAD))!;
    // As if its holder had ended without releasing the lock.
    const held = { ...value, state: "DEPLOYING" as const, currentOperation: "operations/lost" };
    await store.workloads.replace(held, version);
    const waiting = await removeWorkload(platform);
    const all = await removeEnvironment(platform);
    await platform.clock.advance(1_000);
    await platform.janitor().pass();
    assert.equal((await platform.ended(all)).state, "SUCCEEDED");
    const { state } = await platform.operation(waiting.operation!.value.name);
    assert.ok(state === "SUCCEEDED" || state === "CANCELLED", `it ended, ${state}`);
    await platform.assertSound();
  }));

Deno.test("a queued deletion that is cancelled before its turn does not get it", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, clock } = platform;
    await platform.ended(await create(platform));
    await platform.crash();
    const change = { labels: { team: "search" } };
    const updating = await updateEnvironment(deps, caller, { name: NAME, etag: "", change });
    const waiting = (await removeEnvironment(platform)).operation!.value;
    const request = { name: waiting.name, reason: "", validateOnly: false };
    await cancelOperation(deps, caller, request);
    const { value } = updating.operation!;
    await releaseResource(store, value, { state: "CANCELLED", error: null }, clock.now());
    const { state, currentOperation } = (await store.environments.get(NAME))!.value;
    assert.deepEqual([state, currentOperation], ["READY", null]);
    const { version } = (await store.environments.get(NAME))!;
    await releaseResource(store, value, { state: "FAILED", error: null }, clock.now());
    assert.equal((await store.environments.get(NAME))!.version, version, "it is released once");
  }));

Deno.test("cancelling a queued deletion says that it is dropped, and nothing is deleted", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "apply_workload", run: hang, undo: hang },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller, clock, store } = platform;
    await platform.ended(await create(platform));
    await deploy(platform);
    await clock.advance(100);
    const { operation } = await removeWorkload(platform);
    const request = { name: operation!.value.name, reason: "" };
    const said = "the deletion of workload 'web' is dropped; what it stopped stays cancelled";
    for (const validateOnly of [true, false]) {
      const { outcome } = await cancelOperation(deps, caller, { ...request, validateOnly });
      assert.equal(outcome, said);
    }
    await platform.settle();
    assert.equal((await platform.operation(request.name)).state, "CANCELLED");
    const left = (await store.workloads.get("environments/dev/workloads/web"))?.value;
    assert.equal(left?.state, "DEPLOY_FAILED", "as the cancelled operation has left it");
  }, { definitions });
});
