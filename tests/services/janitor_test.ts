import assert from "node:assert/strict";
import { type ErrorRecord, idOf } from "@mpc/domain";
import {
  ADMISSION_GRACE_MS,
  cancelOperation,
  createEnvironment,
  type Engine,
  type EngineStatus,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { Janitor } from "@mpc/worker";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anOperation, aWorkload } from "../fakes/documents.ts";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";

Deno.test("the janitor releases a resource whose operation is gone", () =>
  withPlatform(async (platform) => {
    const { store } = platform;
    await platform.ended(await create(platform));
    const { value, version } = (await store.environments.get("environments/dev"))!;
    const stuck = { ...value, state: "UPDATING" as const, currentOperation: "operations/lost" };
    await store.environments.replace(stuck, version);
    await platform.janitor().pass();
    const after = (await store.environments.get("environments/dev"))!.value;
    assert.deepEqual([after.state, after.currentOperation], ["UPDATE_FAILED", null]);
    await platform.assertSound();
  }));

Deno.test("a failure for one record does not keep the janitor from the others", async () => {
  const store = new FailingStore(openMemoryStore(), new FakeClock());
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const names = ["environments/a", "environments/b"];
    for (const name of names) {
      const environmentId = idOf(name);
      const environment = {};
      await platform.ended(await createEnvironment(deps, caller, { environmentId, environment }));
      const { value, version } = (await store.environments.get(name))!;
      const stuck = { ...value, state: "UPDATING" as const, currentOperation: "operations/lost" };
      await store.environments.replace(stuck, version);
    }
    const states = () =>
      Promise.all(names.map(async (name) => (await store.environments.get(name))?.value.state));
    store.plan("refused", 1);
    await platform.janitor().pass();
    assert.deepEqual(await states(), ["UPDATING", "UPDATE_FAILED"]);
    await platform.janitor().pass();
    assert.deepEqual(await states(), ["UPDATE_FAILED", "UPDATE_FAILED"]);
  }, { store });
});

Deno.test("a resource that its operation cannot settle by the rules is released anyway", () =>
  withPlatform(async (platform) => {
    const { store } = platform;
    const { name } = await platform.ended(await create(platform));
    const { value, version } = (await store.environments.get("environments/dev"))!;
    const stuck = { ...value, state: "DELETING" as const, currentOperation: name };
    await store.environments.replace(stuck, version);
    await platform.janitor().pass();
    const after = (await store.environments.get("environments/dev"))!.value;
    assert.deepEqual([after.state, after.currentOperation], ["DELETE_FAILED", null]);
  }));

Deno.test("an operation that cannot settle its resource by the rules ends anyway", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "environment.create",
    step: "apply_policies",
    run: async (run, _call, { store }) => {
      const { value, version } = (await store.environments.get("environments/dev"))!;
      await store.environments.replace({ ...value, state: "DELETING" }, version);
      return await run();
    },
  }]);
  await withPlatform(async (platform) => {
    const { state, error } = await platform.ended(await create(platform));
    assert.deepEqual([state, error?.reason], ["FAILED", "ILLEGAL_MOVE"]);
    await platform.janitor().pass();
    const { value } = (await platform.store.environments.get("environments/dev"))!;
    assert.deepEqual([value.state, value.currentOperation], ["DELETE_FAILED", null]);
  }, { definitions });
});

Deno.test("the janitor passes on a cancellation that may not have reached the engine", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, provider, clock } = platform;
    await platform.crash();
    const { operation } = await create(platform);
    const { name } = operation!.value;
    await cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    const told: string[] = [];
    const engine: Engine = {
      name: "embedded",
      start: () => Promise.reject(new Error("it runs already")),
      cancel: (operation) => Promise.resolve(void told.push(operation)),
      status: () => Promise.resolve({ state: "running" }),
      close: () => Promise.resolve(),
    };
    await new Janitor({ store, provider, clock, engine, signal: caller.signal }).pass();
    assert.deepEqual(told, [name]);
    await platform.restart();
  }));

/** An engine with scripted states of operations; it records its calls. */
function scriptedEngine(statusOf: (operation: string) => EngineStatus) {
  const told: string[] = [];
  const engine: Engine = {
    name: "embedded",
    start: (operation) => Promise.resolve(void told.push(`start ${operation}`)),
    cancel: (operation) => Promise.resolve(void told.push(`cancel ${operation}`)),
    status: (operation) => Promise.resolve(statusOf(operation)),
    close: () => Promise.resolve(),
  };
  return { engine, told };
}

/** A janitor's pass over a store with a scripted engine. @returns the engine's calls */
async function passOver(
  store: Store,
  statusOf: (operation: string) => EngineStatus,
): Promise<readonly string[]> {
  const { engine, told } = scriptedEngine(statusOf);
  await withPlatform(async ({ provider, clock, caller }) => {
    await new Janitor({ store, provider, clock, engine, signal: caller.signal }).pass();
  });
  return told;
}

const running = (): EngineStatus => ({ state: "running" });
const absent = (): EngineStatus => ({ state: "absent" });

Deno.test("an operation without a lock is dropped after the grace period, not before", () =>
  withPlatform(async ({ store, clock, provider, caller }) => {
    const { value } = await store.operations.create(anOperation("op", { createTime: clock.now() }));
    const isLeft = async () => {
      const { engine } = scriptedEngine(absent);
      await new Janitor({ store, provider, clock, engine, signal: caller.signal }).pass();
      return await store.operations.get(value.name) !== undefined;
    };
    await clock.advance(ADMISSION_GRACE_MS - 1);
    assert.equal(await isLeft(), true);
    await clock.advance(1);
    assert.equal(await isLeft(), false);
  }));

Deno.test("an operation without a lock is dropped after the grace period, even if its creator's clock is ahead", () =>
  withPlatform(async ({ store, clock, provider, caller }) => {
    const createTime = clock.now() + 20 * 60_000;
    const { value } = await store.operations.create(anOperation("op", { createTime }));
    const { engine } = scriptedEngine(absent);
    const janitor = new Janitor({ store, provider, clock, engine, signal: caller.signal });
    const isLeft = async () => {
      await janitor.pass();
      return await store.operations.get(value.name) !== undefined;
    };
    assert.equal(await isLeft(), true);
    await clock.advance(ADMISSION_GRACE_MS - 1);
    assert.equal(await isLeft(), true);
    await clock.advance(1);
    assert.equal(await isLeft(), false);
  }));

Deno.test("a resource stays locked while its operation lives", async () => {
  const store = openMemoryStore();
  const { name } = (await store.operations.create(anOperation("op", { state: "RUNNING" }))).value;
  await store.environments.create(
    anEnvironment("dev", { state: "CREATING", currentOperation: name }),
  );
  await passOver(store, running);
  const { state, currentOperation } = (await store.environments.get("environments/dev"))!.value;
  assert.deepEqual([state, currentOperation], ["CREATING", name]);
});

Deno.test("a workload is released after the deletion of its environment has ended", async () => {
  const store = openMemoryStore();
  const deletion = anOperation("op", { kind: "environment.delete", state: "FAILED" });
  await store.operations.create(deletion);
  const held = { state: "DELETING" as const, currentOperation: deletion.name };
  await store.workloads.create(aWorkload("dev", "web", held));
  await passOver(store, absent);
  const { value } = (await store.workloads.get("environments/dev/workloads/web"))!;
  assert.deepEqual([value.state, value.currentOperation], ["DELETE_FAILED", null]);
});

Deno.test("a queued deletion stops its predecessor, unless the deletion itself is cancelled", async () => {
  for (const cancelled of [false, true]) {
    const store = openMemoryStore();
    const holder = anOperation("holder", { kind: "environment.update", state: "RUNNING" });
    const deletion = anOperation("deletion", {
      kind: "environment.delete",
      cancellation: cancelled ? { actor: "ann", reason: "", time: 0 } : null,
    });
    await store.operations.create(holder);
    await store.operations.create(deletion);
    const locks = { currentOperation: holder.name, nextOperation: deletion.name };
    await store.environments.create(anEnvironment("dev", { state: "UPDATING", ...locks }));
    const told = await passOver(store, (name) => name === holder.name ? running() : absent());
    const marked = (await store.operations.get(holder.name))!.value.cancellation?.reason;
    assert.equal(marked, cancelled ? undefined : `preempted by ${deletion.name}`);
    assert.equal(told.includes(`start ${deletion.name}`), cancelled, "the engine ends it");
  }
});

Deno.test("an operation that its engine has ended is closed, and its resource released", async () => {
  const store = openMemoryStore();
  const operation = anOperation("op", { state: "RUNNING", startTime: 1 });
  await store.operations.create(operation);
  const held = { state: "CREATING" as const, currentOperation: operation.name };
  await store.environments.create(anEnvironment("dev", held));
  const error: ErrorRecord = {
    code: "ABORTED",
    reason: "WORKFLOW_TERMINATED",
    message: "Its workflow was terminated",
    retryable: false,
    metadata: {},
    causes: [],
  };
  const told = await passOver(store, () => ({ state: "ended", error }));
  const ended = (await store.operations.get(operation.name))!.value;
  assert.deepEqual([ended.state, ended.error?.reason], ["FAILED", "WORKFLOW_TERMINATED"]);
  const { value } = (await store.environments.get("environments/dev"))!;
  assert.deepEqual([value.state, value.currentOperation, told], ["CREATE_FAILED", null, []]);
});
