import assert from "node:assert/strict";
import { idOf } from "@mpc/domain";
import {
  cancelOperation,
  createEnvironment,
  deleteEnvironment,
  deployWorkload,
  diagnose,
  explain,
  restartWorkload,
  retryOperation,
  rollbackWorkload,
  scaleWorkload,
  sweepObjects,
  updateEnvironment,
} from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions, permanent, transient } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy } from "../fakes/scenarios.ts";

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
      assert.equal(attempts[index + 1]!.startTime, attempt.nextRetryTime, "it keeps its word");
    }
  }, { definitions });
});

Deno.test("of very many attempts the first and the last are kept, and all are counted", async () => {
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
  const { definitions } = faultyDefinitions([
    {
      kind: "environment.delete",
      step: "delete_namespace",
      run: (run) => broken ? Promise.reject(permanent()) : run(),
    },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const deletion = {
      etag: "",
      force: true,
      allowMissing: false,
      abandon: false,
      timeoutMs: null,
    };
    const failed = await platform.ended(
      await deleteEnvironment(deps, caller, { ...deletion, name: "environments/dev" }),
    );
    assert.equal(failed.state, "FAILED");
    broken = false;
    const again = await platform.ended(await retryOperation(deps, caller, { name: failed.name }));
    assert.deepEqual([again.state, again.retryOf], ["SUCCEEDED", failed.name]);
    const before = failed.steps.find(({ name }) => name === "delete_workloads");
    const kept = again.steps.find(({ name }) => name === "delete_workloads");
    assert.deepEqual(kept, before, "a step that is done is not done again");
    await rejectsWith(
      retryOperation(deps, caller, { name: again.name }),
      "FAILED_PRECONDITION",
      "NOT_RETRYABLE",
    );
  }, { definitions });
});

Deno.test("what has been changed since cannot be retried", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(await deploy(platform, "nginx:missing"));
    assert.equal(failed.state, "FAILED");
    await platform.ended(await deploy(platform));
    const retry = retryOperation(deps, caller, { name: failed.name });
    await rejectsWith(retry, "FAILED_PRECONDITION", "SUPERSEDED");
  }));

Deno.test("cancel --dry-run says what will be undone and what stays, and cancels nothing", () =>
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
    const left = await cluster.inventory(caller);
    assert.ok(left.every(({ target }) => target === "environments/dev"));
  }));

Deno.test("deploy, scale, restart and rollback each make a revision; numbers are never used twice", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await platform.ended(await scaleWorkload(deps, caller, { name: WEB, etag: "", replicas: 5 }));
    await platform.ended(await deploy(platform, "nginx:missing"));
    const token = (await workload(platform)).restartToken;
    await platform.ended(await restartWorkload(deps, caller, { name: WEB, etag: "" }));
    assert.notEqual((await workload(platform)).restartToken, token);
    await platform.ended(
      await rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: 1 }),
    );
    const { activeRevision, spec } = await workload(platform);
    assert.deepEqual([activeRevision, spec.replicas], [5, 2]);
    const revisions = await store.revisions.list({ limit: 10 });
    assert.deepEqual(revisions.items.map(({ value }) => value.number), [1, 2, 4, 5]);
    const none = rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: 3 });
    const { message } = await rejectsWith(none, "NOT_FOUND", "REVISION_NOT_FOUND");
    assert.match(message, /^Cannot roll back workload 'web': it has no revision 3; see 'mpctl /);
    const negative = rollbackWorkload(deps, caller, { name: WEB, etag: "", revision: -1 });
    await rejectsWith(negative, "INVALID_ARGUMENT", "INVALID_FIELDS");
    await platform.assertSound();
  }));

Deno.test("a deployment that fails leaves the revision before running", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { error } = await platform.ended(await deploy(platform, "nginx:crash"));
    assert.equal(error?.reason, "CRASH_LOOP");
    assert.equal(error?.metadata["exitCode"], "1");
    const { state, activeRevision, spec } = await workload(platform);
    assert.deepEqual([state, activeRevision, spec.image], ["DEPLOY_FAILED", 1, "nginx:1.27"]);
    await platform.assertSound();
    assert.equal((await platform.ended(await deploy(platform, "nginx:2"))).state, "SUCCEEDED");
  }));

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
      const explanation = explain(operation);
      assert.match(explanation.summary, /failed at step 'await_rollout'; undone: apply_workload$/);
      assert.equal(explanation.causes[0]?.scope, "operation");
      assert.equal(explanation.causes.at(-1)?.reason, reason);
      assert.equal(explanation.responsible, responsible);
      assert.match(explanation.nextCommand, /^mpctl /);
    }));
}

Deno.test("doctor names each break with the command that repairs it", () =>
  withPlatform(async (platform) => {
    const { store, cluster, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { value, version } = (await store.workloads.get(WEB))!;
    const found = async () =>
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy.split(" ")[0]]);
    assert.deepEqual(await found(), []);
    await store.workloads.replace({ ...value, state: "DEPLOYING" }, version);
    assert.deepEqual(await found(), [["RESOURCE_WITHOUT_OPERATION", "mpctl"]]);
    await store.workloads.replace({ ...value, activeRevision: 9 }, version + 1);
    assert.deepEqual(await found(), [["WRONG_REVISION", "mpctl"]]);
    await store.workloads.delete(WEB, version + 2);
    assert.deepEqual(await found(), [
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
      ["OBJECT_WITHOUT_RECORD", "mpctl"],
    ], "its variables, its deployment and its service");
    await store.workloads.create(value);
    const ref = { environment: "dev", workload: "web", uid: value.uid };
    await cluster.deleteWorkload(ref, caller);
    assert.deepEqual(await found(), [["RECORD_WITHOUT_OBJECT", "mpctl"]]);
  }));

Deno.test("doctor finds nothing wrong with what changes while it looks", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster } = platform;
    let created = 0;
    const changing: typeof cluster = Object.assign(Object.create(cluster), {
      inventory: async () => {
        const request = { environmentId: `new-${created++}`, environment: {} };
        await platform.ended(await createEnvironment(deps, caller, request));
        return await cluster.inventory(caller);
      },
    });
    const { findings } = await diagnose({ ...deps, cluster: changing }, caller);
    assert.deepEqual(findings, []);
    assert.ok(created > 1, "it looked again");
  }));

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

Deno.test("a spec that was read and comes in again keeps its secrets", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const redeploy = (env: Record<string, string>) =>
      deployWorkload(deps, caller, {
        parent: "environments/dev",
        workloadId: "web",
        workload: { spec: { image: "nginx:1.28", env } },
        etag: "",
        timeoutMs: null,
      });
    await platform.ended(await redeploy({ KEY: "(redacted)", NEW: "1" }));
    assert.deepEqual((await workload(platform)).spec.env, { KEY: "secret", NEW: "1" });
    const unknown = await rejectsWith(
      redeploy({ OTHER: "(redacted)" }),
      "INVALID_ARGUMENT",
      "INVALID_FIELDS",
    );
    assert.equal(unknown.violations[0]?.field, "workload.spec.env[OTHER]");
  }));

Deno.test("what has no record is swept from the cluster, and nothing else", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await store.workloads.delete(WEB, (await store.workloads.get(WEB))!.version);
    assert.equal((await platform.findings())[0]?.remedy, "mpctl doctor --sweep");
    assert.deepEqual(await sweepObjects(deps, caller), [WEB]);
    await platform.janitor().pass();
    await platform.assertSound();
    const left = await cluster.inventory(caller);
    assert.ok(left.every(({ target }) => target === "environments/dev"));
    assert.deepEqual(await sweepObjects(deps, caller), []);
  }));

Deno.test("an update without a change applies the environment again", () =>
  withPlatform(async (platform) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    const { uid } = (await store.environments.get("environments/dev"))!.value;
    await cluster.deleteNamespace({ environment: "dev", uid }, caller);
    assert.deepEqual(
      (await platform.findings()).map(({ invariant, remedy }) => [invariant, remedy]),
      [
        ["RECORD_WITHOUT_OBJECT", "mpctl env update dev"],
      ],
    );
    const again = { name: "environments/dev", etag: "", change: {} };
    await platform.ended(await updateEnvironment(deps, caller, again));
    await platform.assertSound();
  }));
