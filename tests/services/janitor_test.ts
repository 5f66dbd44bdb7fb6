import assert from "node:assert/strict";
import { idOf } from "@mpc/domain";
import { cancelOperation, createEnvironment, type Engine } from "@mpc/services";
import { Janitor } from "@mpc/worker";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";

Deno.test("the janitor lets go of a resource whose operation is gone", () =>
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

Deno.test("what the janitor cannot settle does not keep it from the rest", async () => {
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

Deno.test("a resource that its operation cannot settle as the rules say is let go of all the same", () =>
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

Deno.test("an operation that cannot settle its resource as the rules say ends all the same", async () => {
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

Deno.test("the janitor tells an engine again of a cancellation that it may not have heard of", () =>
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
