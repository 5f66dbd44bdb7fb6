import assert from "node:assert/strict";
import { cancelOperation, retryOperation } from "@mpc/services";
import { faultyDefinitions, permanent, transient } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, removeWorkload } from "../fakes/scenarios.ts";

const WEB = "environments/dev/workloads/web";

const workload = async ({ store }: Platform) => (await store.workloads.get(WEB))!.value;

Deno.test("every attempt is recorded with its error and the time of the next", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "environment.create",
    step: "create_namespace",
    run: (run, call) => call <= 2 ? Promise.reject(transient()) : run(),
  }]);
  await withPlatform(async (platform) => {
    const { steps } = await platform.ended(await create(platform));
    const attempts = steps[0]!.attempts;
    assert.deepEqual(attempts.map(({ number, error }) => [number, error?.reason]), [
      [1, "INJECTED"],
      [2, "INJECTED"],
      [3, undefined],
    ]);
    for (const [index, attempt] of attempts.slice(0, 2).entries()) {
      assert.ok(attempt.nextRetryTime! >= attempt.endTime!);
      assert.equal(attempts[index + 1]!.startTime, attempt.nextRetryTime, "at the recorded time");
    }
  }, { definitions });
});

Deno.test("of very many attempts, the first and the last are kept, and all are counted", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "workload.deploy",
    step: "await_rollout",
    run: () => Promise.reject(transient()),
  }]);
  await withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const { steps, error } = await platform.ended(await deploy(platform));
    const attempts = steps[1]!.attempts;
    assert.deepEqual([attempts[0]?.number, attempts.at(-1)?.number], [1, 100]);
    assert.ok(attempts.length < 30, "the record stays small");
    assert.match(error?.message ?? "", /failed after 100 attempts/);
  }, { definitions });
});

Deno.test("retry begins at the step that failed, and names what it retries", async () => {
  let broken = true;
  const { definitions } = faultyDefinitions([{
    kind: "workload.delete",
    step: "await_workload_gone",
    run: (run) => broken ? Promise.reject(permanent()) : run(),
  }]);
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const failed = await platform.ended(await removeWorkload(platform));
    assert.equal(failed.state, "FAILED");
    broken = false;
    const request = { name: failed.name };
    const { plan } = await retryOperation(deps, caller, { ...request, validateOnly: true });
    const planned = plan?.steps.map(({ name }) => name) ?? [];
    assert.equal(planned[0], "await_workload_gone", "the plan has the remaining steps");
    const again = await platform.ended(await retryOperation(deps, caller, request));
    assert.deepEqual([again.state, again.retryOf], ["SUCCEEDED", failed.name]);
    assert.deepEqual(again.steps[0], failed.steps[0], "a finished step is not run again");
    await rejectsWith(
      retryOperation(deps, caller, { name: again.name }),
      "FAILED_PRECONDITION",
      "NOT_RETRYABLE",
    );
  }, { definitions });
});

Deno.test("an operation on a resource that has changed since cannot be retried", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(await deploy(platform, "nginx:missing"));
    assert.equal(failed.state, "FAILED");
    await platform.ended(await deploy(platform));
    const retry = retryOperation(deps, caller, { name: failed.name });
    await rejectsWith(retry, "FAILED_PRECONDITION", "SUPERSEDED");
  }));

Deno.test("cancel --dry-run says what will be undone and kept, and cancels nothing", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { operation } = await deploy(platform, "nginx:stuck");
    await platform.clock.advance(100);
    const name = operation!.value.name;
    const dry = await cancelOperation(deps, caller, { name, reason: "", validateOnly: true });
    assert.deepEqual(dry.undoneSteps, ["apply_workload"]);
    assert.deepEqual(dry.keptSteps, ["await_rollout"]);
    assert.equal(dry.outcome, "workload 'web' runs revision 1 again");
    assert.equal((await platform.operation(name)).state, "RUNNING");
    await cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    await platform.settle();
    assert.equal((await platform.operation(name)).state, "CANCELLED");
    const { state, activeRevision, spec } = await workload(platform);
    assert.deepEqual([state, activeRevision, spec.image], ["READY", 1, "nginx:1.27"]);
    await platform.assertSound();
    const ended = cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    await rejectsWith(ended, "FAILED_PRECONDITION", "OPERATION_ENDED");
  }));

Deno.test("cancelling a deployment over one that never ran says that the record stays", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:missing"));
    const { operation } = await deploy(platform, "nginx:stuck");
    await platform.clock.advance(100);
    const request = { name: operation!.value.name, reason: "", validateOnly: false };
    const { outcome } = await cancelOperation(deps, caller, request);
    assert.equal(outcome, "workload 'web' is DEPLOY_FAILED, with nothing on the cluster");
    await platform.settle();
    assert.equal((await workload(platform)).state, "DEPLOY_FAILED");
    const { objects: left } = await cluster.inventory(caller);
    assert.deepEqual([...new Set(left.map(({ target }) => target))], ["environments/dev"]);
  }));
