import assert from "node:assert/strict";
import { adviceFor, idOf, MpcError, uncheckedError } from "@mpc/domain";
import { createEnvironment, diagnose, explainOperation, type MutationResult } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
import { create, deploy, removeWorkload } from "../fakes/scenarios.ts";

const EXPLAINED: readonly (readonly [string, string, string])[] = [
  ["nginx:missing", "ErrImagePull", "caller"],
  ["nginx:crash", "CrashLoopBackOff", "caller"],
  ["nginx:unschedulable", "Unschedulable", "cluster"],
  ["nginx:stuck", "NotReady", "caller"],
];

for (const [image, reason, responsible] of EXPLAINED) {
  Deno.test(`explain goes from the operation down to '${reason}' of ${image}, and names who must act`, () =>
    withPlatform(async (platform) => {
      await platform.ended(await create(platform));
      const operation = await platform.ended(await deploy(platform, image));
      const { deps, caller } = platform;
      const explanation = await explainOperation(deps, caller, operation.name);
      assert.match(explanation.summary, /failed at step 'await_rollout'; undone: apply_workload$/);
      assert.equal(explanation.causes[0]?.scope, "operation");
      assert.equal(explanation.causes.at(-1)?.reason, reason);
      assert.equal(explanation.responsible, responsible);
      assert.equal(explanation.nextStep, adviceFor(operation.error!).nextStep);
      assert.match(explanation.nextCommand, /^mpctl /);
    }));
}

Deno.test("explain recommends no command that would be rejected because of a later change", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(await deploy(platform, "nginx:unschedulable"));
    const explain = () => explainOperation(deps, caller, failed.name);
    assert.equal((await explain()).nextCommand, `mpctl op retry ${idOf(failed.name)}`);
    const later = await platform.ended(await deploy(platform));
    const superseded = await explain();
    assert.ok(superseded.summary.endsWith(`; '${later.name}' has changed it since`));
    assert.equal(superseded.causes.at(-1)?.reason, "Unschedulable", "it still says why");
    assert.deepEqual(
      [superseded.responsible, superseded.nextCommand],
      ["nobody", `mpctl op explain ${idOf(later.name)}`],
    );
    await platform.ended(await removeWorkload(platform));
    const gone = await explain();
    assert.ok(gone.summary.endsWith(`; there is no '${later.target}' any more`));
    assert.equal(gone.nextCommand, "");
  }));

Deno.test("explain says which fields to change if the caller's input was the cause", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const next = async (result: MutationResult) => {
      const { name } = await platform.ended(result);
      return (await explainOperation(deps, caller, name)).nextCommand;
    };
    const request = { environmentId: "dev", environment: { cluster: "nowhere" } };
    assert.equal(
      await next(await createEnvironment(deps, caller, request)),
      "mpctl env create dev --cluster NAME",
    );
    await platform.ended(await create(platform));
    assert.equal(
      await next(await deploy(platform, "nginx:missing")),
      "mpctl workload deploy web --env dev --image IMAGE",
    );
    const away = Promise.reject(
      new MpcError("RESOURCE_EXHAUSTED", { reason: "QUOTA_EXCEEDED", message: "too much" }),
    );
    away.catch(() => {});
    platform.cluster.applyWorkload = (_intent, { dryRun }) => dryRun ? Promise.resolve([]) : away;
    assert.equal(
      await next(await deploy(platform)),
      "mpctl env update dev --max-cpu CPU --max-memory MEMORY",
    );
  }));

Deno.test("explain of a reason that this version does not know says so, and names the platform", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const message = "Cannot apply it";
    const failure = uncheckedError("FAILED_PRECONDITION", "FROM_THE_FUTURE", { message });
    platform.cluster.applyWorkload = (_intent, { dryRun }) =>
      dryRun ? Promise.resolve([]) : Promise.reject(failure);
    const { name } = await platform.ended(await deploy(platform));
    const explanation = await explainOperation(platform.deps, platform.caller, name);
    assert.equal(explanation.causes[0]?.reason, "FROM_THE_FUTURE");
    assert.equal(explanation.responsible, "platform");
    assert.match(explanation.nextStep, /does not know the reason/);
    assert.equal(explanation.nextCommand, `mpctl op retry ${idOf(name)}`);
  }));

Deno.test("explain of an operation that has ended well has nothing left to do", () =>
  withPlatform(async (platform) => {
    const { name } = await platform.ended(await create(platform));
    const { responsible, nextStep, nextCommand } = await explainOperation(
      platform.deps,
      platform.caller,
      name,
    );
    assert.deepEqual([responsible, nextStep, nextCommand], ["nobody", "", ""]);
  }));

const BROKEN: readonly (readonly [MpcError, string])[] = [
  [
    new MpcError("UNAVAILABLE", { reason: "NO_WORKER", message: "no worker answers" }),
    "deno task worker",
  ],
  [
    new MpcError("FAILED_PRECONDITION", {
      reason: "ENGINE_PAUSED",
      message: "it is paused",
      metadata: { command: "temporal workflow unpause" },
    }),
    "temporal workflow unpause",
  ],
];

for (const [error, command] of BROKEN) {
  Deno.test(`explain says what keeps the engine from working: ${error.reason}`, () =>
    withPlatform(async (platform) => {
      const { caller } = platform;
      await platform.ended(await create(platform));
      const result = await deploy(platform, "nginx:slow");
      const { name } = result.operation!.value;
      const idle = new MpcError("FAILED_PRECONDITION", {
        reason: "ENGINE_HOUSEKEEPING",
        message: "a periodic task does not run",
      });
      const deps = { ...platform.deps, engineProblems: () => Promise.resolve([idle, error]) };
      const explanation = await explainOperation(deps, caller, name);
      assert.match(explanation.summary, new RegExp(`waits .*: ${error.message}$`));
      assert.deepEqual([explanation.responsible, explanation.nextCommand], ["platform", command]);
      const { findings } = await diagnose(deps, caller);
      const told = findings.filter(({ invariant }) => invariant === "ENGINE_WORKS");
      const expected = [idle, error].filter(({ reason }) => reason !== "NO_WORKER");
      assert.deepEqual(told.map(({ message }) => message), expected.map((it) => it.message));
      const ended = await platform.ended(result);
      const after = await explainOperation(deps, caller, ended.name);
      assert.match(after.summary, /succeeded$/, "an operation that has ended waits for nothing");
    }));
}
