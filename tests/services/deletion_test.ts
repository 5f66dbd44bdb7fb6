import assert from "node:assert/strict";
import {
  cancelOperation,
  deleteEnvironment,
  type DeleteEnvironmentRequest,
  deleteWorkload,
  explain,
  updateEnvironment,
} from "@mpc/services";
import { releaseResource } from "@mpc/services/operations";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions, hang, permanent } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const NAME = "environments/dev";
const deletion = { etag: "", allowMissing: false, abandon: false, force: true, timeoutMs: null };

const remove = (
  { deps, caller }: Platform,
  more: Partial<DeleteEnvironmentRequest> = {},
) => deleteEnvironment(deps, caller, { ...deletion, name: NAME, ...more });

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
    const deleted = await platform.ended(await remove(platform));
    const first = await platform.operation(created.operation!.value.name);
    assert.deepEqual([first.state, deleted.state], ["CANCELLED", "SUCCEEDED"]);
    assert.equal(first.cancellation?.reason, `preempted by ${deleted.name}`);
    assert.ok(deleted.startTime! >= first.endTime! - 1, "the deletion waited for what ran");
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
    const { state } = await platform.ended(await remove(platform));
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
    const first = await remove(platform);
    await platform.clock.advance(100);
    await rejectsWith(remove(platform), "ABORTED", "OPERATION_IN_PROGRESS");
    const abandoned = await remove(platform, { abandon: true });
    await platform.settle();
    assert.equal((await platform.operation(first.operation!.value.name)).state, "CANCELLED");
    assert.equal((await platform.operation(abandoned.operation!.value.name)).state, "SUCCEEDED");
    assert.equal(await platform.store.environments.get(NAME), undefined);
  }));

Deno.test("abandoning one workload does not stop the deletion of its environment", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const deleting = (await remove(platform)).operation!.value.name;
    await platform.clock.advance(100);
    const workload = { etag: "", allowMissing: false, abandon: true, timeoutMs: null };
    const abandoning = deleteWorkload(platform.deps, platform.caller, {
      ...workload,
      name: `${NAME}/workloads/web`,
    });
    await rejectsWith(abandoning, "ABORTED", "OPERATION_IN_PROGRESS");
    await platform.settle();
    assert.equal((await platform.operation(deleting)).cancellation, null);
  }));

Deno.test("past its deadline a deletion is DELETE_FAILED and says what blocks", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const failed = await platform.ended(await remove(platform, { timeoutMs: 40_000 }));
    const { state, error } = failed;
    assert.equal(state, "FAILED");
    assert.equal(error?.reason, "DELETE_BLOCKED");
    assert.deepEqual(
      error?.causes.map(({ reason }) => reason),
      ["DELETE_BLOCKED", "OPERATION_TIMED_OUT"],
      "down to the time limit",
    );
    assert.match(
      error?.message ?? "",
      /held by Deployment\/dev\/web \(finalizer simulated\/sticky\)/,
    );
    const { summary, responsible } = explain(failed);
    assert.match(summary, /failed at step 'delete_workloads'; undone: stop_workloads$/);
    assert.equal(responsible, "cluster");
    const { value } = (await platform.store.environments.get(NAME))!;
    assert.equal(value.state, "DELETE_FAILED");
    const ready = value.conditions.find(({ type }) => type === "Ready");
    assert.match(ready?.message ?? "", /finalizer/);
    await platform.clock.advance(60_000);
    assert.equal((await platform.ended(await remove(platform))).state, "SUCCEEDED");
  }));

Deno.test("what is abandoned is listed as orphans, and swept when the cluster lets go of it", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    await platform.ended(await remove(platform, { abandon: true }));
    const orphans = async () =>
      (await platform.store.orphans.list({ limit: 10 })).items
        .map(({ value }) => value.target);
    assert.deepEqual((await orphans()).toSorted(), [NAME, `${NAME}/workloads/web`]);
    await platform.assertSound();
    const sweep = platform.janitor().pass();
    await platform.clock.advance(20_000);
    await sweep;
    assert.equal((await orphans()).length, 2, "a finalizer still holds them");
    await platform.clock.advance(60_000);
    await platform.janitor().pass();
    assert.deepEqual(await orphans(), []);
    assert.deepEqual((await platform.cluster.inventory(platform.caller)).objects, []);
  }));

Deno.test("deletion_protection refuses deletion, with force and without", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const change = { deletionProtection: true };
    await platform.ended(await updateEnvironment(deps, caller, { name: NAME, etag: "", change }));
    for (const force of [true, false]) {
      await rejectsWith(remove(platform, { force }), "FAILED_PRECONDITION", "DELETION_PROTECTED");
    }
  }));

Deno.test("an environment with workloads is deleted by force only", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const refused = remove(platform, { force: false });
    await rejectsWith(refused, "FAILED_PRECONDITION", "ENVIRONMENT_NOT_EMPTY");
    await platform.ended(await remove(platform));
    await platform.assertSound();
  }));

Deno.test("allow_missing answers with an operation that has succeeded", () =>
  withPlatform(async (platform) => {
    const { operation } = await remove(platform, { allowMissing: true });
    assert.equal(operation?.value.state, "SUCCEEDED");
    await rejectsWith(remove(platform), "NOT_FOUND", "ENVIRONMENT_NOT_FOUND");
  }));

Deno.test("100 parallel requests of one id to delete what is not there get one operation", () =>
  withPlatform(async (platform) => {
    const request = { allowMissing: true, requestId: "r-1" };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => remove(platform, request)),
    );
    assert.equal(new Set(answers.map(({ operation }) => operation?.value.name)).size, 1);
    assert.equal(await platform.store.operations.count({}), 1);
  }));

Deno.test("a planned deletion is refused when what it was to delete has gone meanwhile", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const request = { allowMissing: true, validateOnly: true };
    const planHash = (await remove(platform, request)).plan?.planHash ?? "";
    await platform.ended(await remove(platform));
    const late = remove(platform, { allowMissing: true, planHash });
    await rejectsWith(late, "ABORTED", "PLAN_OUTDATED");
    const nothing = (await remove(platform, request)).plan?.planHash ?? "";
    const { operation } = await remove(platform, { allowMissing: true, planHash: nothing });
    assert.equal(operation?.value.state, "SUCCEEDED");
  }));

Deno.test("what was to be abandoned and is deployed again is not swept", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "workload.abandon",
    step: "record_orphans",
    run: async (run) => {
      await run();
      throw permanent();
    },
  }]);
  await withPlatform(async (platform) => {
    const { deps, caller, store, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const name = `${NAME}/workloads/web`;
    const abandon = { ...deletion, abandon: true, name };
    const { state } = await platform.ended(await deleteWorkload(deps, caller, abandon));
    assert.equal(state, "FAILED");
    await platform.ended(await deploy(platform));
    await platform.janitor().pass();
    await platform.assertSound();
    await platform.ended(await deleteWorkload(deps, caller, { ...deletion, name }));
    await platform.janitor().pass();
    assert.equal(await store.orphans.count({}), 0);
    const { objects: left } = await cluster.inventory(caller);
    assert.ok(left.every(({ target }) => target === NAME));
  }, { definitions });
});

Deno.test("a deletion that waits for its turn can be cancelled, and what ran has its way", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "await_rollout", run: hang },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await deploy(platform);
    await platform.clock.advance(100);
    const name = `${NAME}/workloads/web`;
    const waiting = await deleteWorkload(deps, caller, { ...deletion, name });
    const deletionName = waiting.operation!.value.name;
    const request = { name: deletionName, reason: "changed my mind", validateOnly: false };
    await cancelOperation(deps, caller, request);
    await platform.settle();
    assert.equal((await platform.operation(deletionName)).state, "CANCELLED");
    assert.equal(await store.workloads.get(name), undefined, "the first deployment was cancelled");
    await platform.assertSound();
  }, { definitions });
});

Deno.test("what a deletion preempts is stopped also when the process ends before that is said", async () => {
  const store = new FailingStore(openMemoryStore(), new FakeClock());
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "await_rollout", run: hang },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const deploying = (await deploy(platform)).operation!.value.name;
    await platform.clock.advance(100);
    // The operation's record and its place in the queue are written; the mark on the other is not.
    store.plan("crash", 3);
    const name = `${NAME}/workloads/web`;
    await rejectsWith(
      deleteWorkload(deps, caller, { ...deletion, name }),
      "UNAVAILABLE",
      "STORE_UNAVAILABLE",
    );
    await platform.crash();
    store.heal();
    await platform.restart();
    await platform.clock.advance(1_000);
    await platform.janitor().pass();
    assert.equal((await platform.operation(deploying)).state, "CANCELLED");
    assert.equal(await store.workloads.get(name), undefined);
    await platform.assertSound();
  }, { definitions, store });
});

Deno.test("a deletion that waits keeps its turn when the deletion of its environment comes in", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const name = `${NAME}/workloads/web`;
    const { value, version } = (await store.workloads.get(name))!;
    // As if what held it had ended without letting go of it.
    const held = { ...value, state: "DEPLOYING" as const, currentOperation: "operations/lost" };
    await store.workloads.replace(held, version);
    const waiting = await deleteWorkload(deps, caller, { ...deletion, name });
    const all = await remove(platform);
    await platform.clock.advance(1_000);
    await platform.janitor().pass();
    assert.equal((await platform.ended(all)).state, "SUCCEEDED");
    const { state } = await platform.operation(waiting.operation!.value.name);
    assert.ok(state === "SUCCEEDED" || state === "CANCELLED", `it ended, ${state}`);
    await platform.assertSound();
  }));

Deno.test("a waiting deletion that is cancelled before its turn does not get it", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, clock } = platform;
    await platform.ended(await create(platform));
    await platform.crash();
    const change = { labels: { team: "search" } };
    const updating = await updateEnvironment(deps, caller, { name: NAME, etag: "", change });
    const waiting = (await remove(platform)).operation!.value;
    const request = { name: waiting.name, reason: "", validateOnly: false };
    await cancelOperation(deps, caller, request);
    const { value } = updating.operation!;
    await releaseResource(store, value, { state: "CANCELLED", error: null }, clock.now());
    const { state, currentOperation } = (await store.environments.get(NAME))!.value;
    assert.deepEqual([state, currentOperation], ["READY", null]);
    const { version } = (await store.environments.get(NAME))!;
    await releaseResource(store, value, { state: "FAILED", error: null }, clock.now());
    assert.equal((await store.environments.get(NAME))!.version, version, "it is let go of once");
  }));
