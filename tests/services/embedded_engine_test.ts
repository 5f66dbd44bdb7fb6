/** What the embedded engine runs, and when it stops. */
import assert from "node:assert/strict";
import { idOf } from "@mpc/domain";
import { createEnvironment, explainOperation } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { EmbeddedEngine } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import { embeddedEngine } from "../fakes/engine_under_test.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { type Fault, faultyDefinitions, hang, transient } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";

const hanging: Fault = { kind: "environment.create", step: "create_namespace", run: hang };

/** An engine, and an operation that it may start. */
async function world(faults: readonly Fault[], holder = "operations/op") {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const provider = new SimulatedProvider({ clock, delays: NO_DELAYS, statePath: null });
  const { definitions, reached } = faultyDefinitions(faults);
  const options = { store, provider, clock, ids: new SeededIds(), definitions };
  const engine = new EmbeddedEngine(options);
  const input = { labels: {}, annotations: {}, expireTime: null };
  const times = {
    createTime: clock.now(),
    updateTime: clock.now(),
    deadline: clock.now() + 60_000,
  };
  const { value } = await store.operations.create(anOperation("op", { ...times, input }));
  await store.environments.create(
    anEnvironment("dev", { state: "CREATING", currentOperation: holder }),
  );
  const operation = async () => (await store.operations.get(value.name))!.value;
  return { engine, store, reached, operation, name: value.name };
}

Deno.test("an operation that is started twice runs once", async () => {
  const { engine, reached, name } = await world([hanging]);
  await engine.start(name);
  await engine.start(name);
  await settle(10);
  await engine.start(name);
  await settle(10);
  assert.equal(reached(hanging), 1);
  assert.equal(engine.running, 1);
  await engine.close();
});

Deno.test("an operation that does not hold its resource does not run", async () => {
  const { engine, reached, name, operation } = await world([hanging], "operations/other");
  await engine.start(name);
  await settle(10);
  assert.equal(reached(hanging), 0);
  assert.equal((await operation()).state, "PENDING", "it waits for its turn");
  await engine.close();
});

Deno.test("an engine that closes leaves an operation as it is, to continue later", async () => {
  const { engine, name, operation } = await world([hanging]);
  await engine.start(name);
  await settle(10);
  await engine.close();
  assert.equal(engine.running, 0);
  assert.equal((await operation()).state, "RUNNING");
  await engine.start(name);
  assert.equal(engine.running, 0, "a closed engine starts nothing");
});

const add = (platform: Platform, environmentId: string) =>
  createEnvironment(platform.deps, platform.caller, {
    environmentId,
    environment: { labels: {} },
  });

Deno.test("a step that waits for its turn uses no time, and can be cancelled", async () => {
  const first: Fault = {
    kind: "environment.create",
    step: "create_namespace",
    run: (run, call) => call === 1 ? hang() : run(),
  };
  const { definitions, reached } = faultyDefinitions([first]);
  await withPlatform(async (platform) => {
    await add(platform, "first");
    await settle(10);
    const { operation: waiting } = await add(platform, "second");
    const { operation: cancelled } = await add(platform, "third");
    await settle(10);
    assert.equal(reached(first), 1);
    const { deps, caller } = platform;
    const { name } = waiting!.value;
    const told = await explainOperation(deps, caller, name);
    assert.equal(
      told.summary,
      "environment.create of 'environments/second' waits for a slot of the engine to run step " +
        "'create_namespace' (running: 1, waiting: 2)",
    );
    assert.deepEqual([told.responsible, told.nextCommand], [
      "nobody",
      `mpctl op watch ${idOf(name)}`,
    ]);
    await platform.cancelAsCaller(cancelled!.value.name);
    await settle(10);
    assert.equal((await platform.operation(cancelled!.value.name)).state, "CANCELLED");
    const { summary } = await explainOperation(deps, caller, name);
    assert.match(summary, /\(running: 1, waiting: 1\)$/);
    const before = platform.clock.now();
    await platform.settle();
    const { state, steps } = await platform.operation(waiting!.value.name);
    assert.equal(state, "SUCCEEDED");
    // The first attempt of the operation before it has used up its time.
    assert.ok(steps[0]!.attempts[0]!.startTime >= before + 30_000);
    assert.equal(steps[0]!.attempts.length, 1);
  }, { definitions, engine: (options) => embeddedEngine({ ...options, concurrency: 1 }) });
});

Deno.test("a cancellation ends the pause before the next attempt at once", async () => {
  const failing: Fault = {
    kind: "environment.create",
    step: "create_namespace",
    run: () => Promise.reject(transient()),
  };
  const { definitions } = faultyDefinitions([failing]);
  await withPlatform(async (platform) => {
    const { operation } = await create(platform);
    await settle(10);
    const { name } = operation!.value;
    assert.equal((await platform.operation(name)).state, "RUNNING");
    const before = platform.clock.now();
    await platform.cancelAsCaller(name);
    await settle(20);
    assert.equal((await platform.operation(name)).state, "CANCELLED");
    assert.equal(platform.clock.now(), before);
  }, { definitions });
});

Deno.test("the undo of a cancelled operation keeps its pauses between attempts", async () => {
  const { definitions } = faultyDefinitions([
    {
      kind: "environment.create",
      step: "create_namespace",
      undo: (undo, call) => call <= 3 ? Promise.reject(transient()) : undo(),
    },
    { kind: "environment.create", step: "apply_policies", run: hang },
  ]);
  await withPlatform(async (platform) => {
    const { operation } = await create(platform);
    await settle(10);
    const { name } = operation!.value;
    await platform.cancelAsCaller(name);
    await platform.settle();
    const { state, steps } = await platform.operation(name);
    assert.equal(state, "CANCELLED");
    const undos = steps[0]!.attempts.filter(({ undo }) => undo);
    assert.equal(undos.length, 4);
    for (const [index, { nextRetryTime }] of undos.slice(0, 3).entries()) {
      assert.equal(undos[index + 1]!.startTime, nextRetryTime);
    }
  }, { definitions });
});
