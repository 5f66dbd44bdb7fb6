/** Faults of the platform itself: records of another version, or records that somebody edited. */
import assert from "node:assert/strict";
import type { JsonObject, Operation } from "@mpc/domain";
import { retryOperation } from "@mpc/services";
import { type Definition, DEFINITIONS, type Step } from "@mpc/services/sagas";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create, deploy, removeWorkload } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

const { definitions } = faultyDefinitions([
  { kind: "workload.deploy", step: "await_rollout", run: hang },
]);

/** A deployment that was interrupted while it waited, and whose record has been changed since. */
async function cutOff(
  platform: Platform,
  change: (operation: Operation) => Operation,
): Promise<string> {
  await platform.ended(await create(platform));
  const { operation } = await deploy(platform);
  await platform.clock.advance(100);
  await platform.crash();
  const { name } = operation!.value;
  const { value, version } = (await platform.store.operations.get(name))!;
  assert.equal(value.steps[1]?.state, "RUNNING");
  await platform.store.operations.replace(change(value), version);
  platform.definitions = DEFINITIONS;
  return name;
}

Deno.test("an interrupted operation runs the steps that a later version has added", () =>
  withPlatform(async (platform) => {
    const name = await cutOff(platform, (operation) => operation);
    const { steps } = DEFINITIONS["workload.deploy"];
    const late: Step<JsonObject> = { ...steps[1]!, name: "warm_up", run: () => Promise.resolve() };
    platform.definitions = deployBy([...steps as readonly Step<JsonObject>[], late]);
    await platform.restart();
    await platform.settle();
    const ended = await platform.operation(name);
    assert.equal(ended.state, "SUCCEEDED", ended.error?.message ?? "it had no error");
    const run = ended.steps.map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(run.slice(-1), ["warm_up SUCCEEDED"]);
    await platform.assertSound();
  }, { definitions }));

const deployBy = (steps: readonly Step<JsonObject>[]) => ({
  ...DEFINITIONS,
  "workload.deploy": { ...DEFINITIONS["workload.deploy"], steps } as Definition,
});

/** Without the limits on attempts. */
const unlimited = DEFINITIONS["workload.deploy"].steps.map((step) => ({
  ...step as Step<JsonObject>,
  retry: null as never,
}));

const BROKEN = [
  ["whose input cannot be used", (it: Operation) => ({ ...it, input: {} }), DEFINITIONS],
  ["that the engine fails to run", (it: Operation) => it, deployBy(unlimited)],
] as const;

for (const [title, change, today] of BROKEN) {
  Deno.test(`an operation ${title} ends, releases its resource, and does not block a deletion`, () =>
    withPlatform(async (platform) => {
      const name = await cutOff(platform, change);
      platform.definitions = today;
      await platform.restart();
      await platform.settle();
      const ended = await platform.operation(name);
      assert.equal(ended.state, "NEEDS_ATTENTION");
      assert.equal(ended.error?.code, "INTERNAL");
      await platform.janitor().pass();
      const held = (await platform.store.workloads.get(WEB))!.value;
      assert.deepEqual([held.state, held.currentOperation], ["DEPLOY_FAILED", null]);
      assert.equal((await platform.ended(await removeWorkload(platform))).state, "SUCCEEDED");
      await platform.assertSound();
    }, { definitions }));
}

Deno.test("a retry uses the steps of the current version", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(await deploy(platform));
    assert.equal(failed.state, "SUCCEEDED");
    const { value, version } = (await platform.store.operations.get(failed.name))!;
    const state = "FAILED" as const;
    await platform.store.operations.replace({ ...value, state, steps: [] }, version);
    const again = await platform.ended(await retryOperation(deps, caller, { name: failed.name }));
    assert.equal(again.state, "SUCCEEDED");
    assert.deepEqual(
      again.steps.map(({ name }) => name),
      DEFINITIONS["workload.deploy"].steps.map(({ name }) => name),
    );
  }));
