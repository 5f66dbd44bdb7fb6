import assert from "node:assert/strict";
import { OPERATION_KINDS } from "@mpc/domain";
import {
  createEnvironment,
  deleteEnvironment,
  deployWorkload,
  type MutationResult,
  updateEnvironment,
} from "@mpc/services";
import { DEFINITIONS } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions, hang, transient } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const request = { environmentId: "dev", environment: {}, requestId: requestIdOf(1) };

Deno.test("100 parallel requests with one id and body get one operation", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => createEnvironment(deps, caller, request)),
    );
    const names = new Set(answers.map(({ operation }) => operation?.value.name));
    assert.equal(names.size, 1);
    assert.equal(await store.operations.count({}), 1);
  }));

Deno.test("a request that another process has just admitted is found, not rejected because of itself", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    for (
      const [made, repeat] of [
        ["an environment", () => createEnvironment(deps, caller, request)],
        ["a workload", () => deploy(platform, "nginx:1.27", 2, { requestId: requestIdOf(2) })],
      ] as const
    ) {
      let first: Promise<MutationResult> | undefined;
      const { findByRequestId } = store.operations;
      store.operations.findByRequestId = async (...call) => {
        store.operations.findByRequestId = findByRequestId;
        const found = await findByRequestId.apply(store.operations, call);
        first = repeat();
        await first;
        return found;
      };
      const second = await repeat();
      assert.equal(
        second.operation?.value.name,
        (await first)?.operation?.value.name,
        `both get the operation that makes ${made}`,
      );
      await platform.settle();
    }
  }));

Deno.test("a repeated request is found after a restart, and after its operation has ended", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const first = await platform.ended(await createEnvironment(deps, caller, request));
    await platform.crash();
    await platform.restart();
    const again = await createEnvironment(deps, caller, request);
    assert.equal(again.operation?.value.name, first.name);
  }));

Deno.test("request ids are UUIDs, compared by value", () =>
  withPlatform(async ({ deps, caller, store }) => {
    const ask = (requestId: string) => createEnvironment(deps, caller, { ...request, requestId });
    const first = await ask("F47AC10B-58CC-0372-8567-0E02B2C3D479");
    const again = await ask("f47ac10b-58cc-0372-8567-0e02b2c3d479");
    assert.equal(again.operation?.value.name, first.operation?.value.name);
    assert.equal(first.operation?.value.requestId, "f47ac10b-58cc-0372-8567-0e02b2c3d479");
    assert.equal(await store.operations.count({}), 1);
    const refused = [
      "r-1",
      "f47ac10b58cc0372856700e02b2c3d479",
      "{f47ac10b-58cc-0372-8567-0e02b2c3d479}",
      "urn:uuid:f47ac10b-58cc-0372-8567-0e02b2c3d479",
      " f47ac10b-58cc-0372-8567-0e02b2c3d479",
      "g47ac10b-58cc-0372-8567-0e02b2c3d479",
      "00000000-0000-0000-0000-000000000000",
    ];
    for (const requestId of refused) {
      const error = await rejectsWith(ask(requestId), "INVALID_ARGUMENT", "INVALID_FIELDS");
      assert.deepEqual(error.violations.map(({ field, rule }) => [field, rule]), [
        ["request_id", "UUID"],
      ], requestId);
    }
  }));

Deno.test("a repeated deletion of what is not there is found by its id in any case", () =>
  withPlatform(async ({ deps, caller, store }) => {
    const fields = { name: "environments/gone", etag: "", force: false, abandon: false };
    const ask = (requestId: string) =>
      deleteEnvironment(deps, caller, {
        ...fields,
        requestId,
        allowMissing: true,
        timeoutMs: null,
      });
    const first = await ask("ABCDEF00-0000-4000-8000-00000000000A");
    const again = await ask("abcdef00-0000-4000-8000-00000000000a");
    assert.equal(again.operation?.value.name, first.operation?.value.name);
    assert.equal(await store.operations.count({}), 1);
  }));

Deno.test("the same id with another body is rejected", () =>
  withPlatform(async ({ deps, caller }) => {
    await createEnvironment(deps, caller, request);
    const other = createEnvironment(deps, caller, { ...request, environmentId: "other" });
    await rejectsWith(other, "INVALID_ARGUMENT", "REQUEST_ID_REUSED");
  }));

Deno.test("a rejected request does not use up its id", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    const early = {
      requestId: requestIdOf(2),
      name: "environments/dev",
      etag: "",
      change: { labels: {} },
    };
    await rejectsWith(updateEnvironment(deps, caller, early), "NOT_FOUND", "ENVIRONMENT_NOT_FOUND");
    await platform.ended(await create(platform));
    const { state } = await platform.ended(await updateEnvironment(deps, caller, early));
    assert.equal(state, "SUCCEEDED");
  }));

Deno.test("an admission that a crash interrupted is dropped, and its id is free again", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.crash();
    const { operation } = await createEnvironment(deps, caller, request);
    // As if the process had died between the two writes of the admission.
    await store.environments.delete("environments/dev", 1);
    await platform.restart();
    assert.equal(await store.operations.get(operation!.value.name), undefined);
    const again = await platform.ended(await createEnvironment(deps, caller, request));
    assert.equal(again.state, "SUCCEEDED");
  }));

Deno.test("one operation per resource at a time; another gets the holder's name", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "environment.create", step: "create_namespace", run: hang },
  ]);
  await withPlatform(async (platform) => {
    const { operation } = await create(platform);
    const change = { name: "environments/dev", etag: "", change: { labels: {} } };
    const update = updateEnvironment(platform.deps, platform.caller, change);
    const error = await rejectsWith(update, "ABORTED", "OPERATION_IN_PROGRESS");
    assert.equal(error.metadata["operation"], operation?.value.name);
  }, { definitions });
});

Deno.test("a queued operation whose holder is gone does not block others", () =>
  withPlatform(async (platform) => {
    const { store, deps, caller } = platform;
    const { name } = await platform.ended(await create(platform));
    const { value, version } = (await store.environments.get("environments/dev"))!;
    await store.environments.replace({ ...value, nextOperation: name }, version);
    const change = { name: value.name, etag: "", change: { labels: { team: "search" } } };
    const { state } = await platform.ended(await updateEnvironment(deps, caller, change));
    assert.equal(state, "SUCCEEDED");
    assert.equal((await store.environments.get("environments/dev"))?.value.nextOperation, null);
  }));

Deno.test("a workload needs an environment that is READY", () =>
  withPlatform(async (platform) => {
    await rejectsWith(deploy(platform), "NOT_FOUND", "ENVIRONMENT_NOT_FOUND");
    await create(platform);
    const early = await rejectsWith(
      deploy(platform),
      "FAILED_PRECONDITION",
      "ENVIRONMENT_NOT_READY",
    );
    assert.match(early.message, /environment 'dev' is CREATING, must be READY$/);
  }));

Deno.test("budgets nest: an attempt fits into its step, a step into its operation", () => {
  for (const kind of OPERATION_KINDS) {
    for (const step of DEFINITIONS[kind].steps) {
      assert.ok(step.attemptTimeoutMs <= step.retry.budgetMs, `${kind} ${step.name}`);
      assert.ok(step.retry.maxBackoffMs < step.retry.budgetMs, `${kind} ${step.name}`);
    }
  }
});

Deno.test("a timeout that is too short for one attempt is rejected at admission", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const call = deployWorkload(deps, caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx" } },
      etag: "",
      timeoutMs: 1_000,
    });
    const error = await rejectsWith(call, "INVALID_ARGUMENT", "INVALID_FIELDS");
    assert.equal(error.violations[0]?.rule, "BUDGETS_NEST");
  }));

Deno.test("an operation gives up at its deadline and undoes its steps", () =>
  withPlatform(async (platform) => {
    const { deps, caller, clock } = platform;
    await platform.ended(await create(platform));
    const began = clock.now();
    const result = await deployWorkload(deps, caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:stuck", progressDeadlineMs: 3_600_000 } },
      etag: "",
      timeoutMs: 120_000,
    });
    const { state, error } = await platform.ended(result);
    assert.equal(state, "FAILED");
    assert.deepEqual([error?.code, error?.reason], ["DEADLINE_EXCEEDED", "OPERATION_TIMED_OUT"]);
    assert.ok(clock.now() - began < 130_000, "it ended by its deadline");
    await platform.assertSound();
  }));

Deno.test("time in which no process ran uses up no budget and no deadline", async () => {
  let down = true;
  const { definitions } = faultyDefinitions([
    { kind: "environment.create", step: "create_namespace", run: (run) => down ? hang() : run() },
  ]);
  await withPlatform(async (platform) => {
    const { operation } = await create(platform);
    const { name, deadline } = operation!.value;
    await platform.clock.advance(1_000);
    await platform.crash();
    await platform.clock.advance(24 * 3_600_000);
    down = false;
    await platform.restart();
    await platform.settle();
    const ended = await platform.operation(name);
    assert.deepEqual([ended.state, ended.error], ["SUCCEEDED", null]);
    assert.ok(ended.deadline >= deadline + 24 * 3_600_000, "the deadline was extended");
    const [interrupted] = ended.steps[0]!.attempts;
    assert.equal(interrupted?.error?.reason, "INTERRUPTED");
    assert.ok(interrupted.endTime! < deadline, "its end is its last update");
  }, { definitions });
});

Deno.test("a step that waits for its next attempt when the process ends keeps its retries", async () => {
  let failures = 0;
  const { definitions } = faultyDefinitions([{
    kind: "environment.create",
    step: "create_namespace",
    run: (run) => failures++ < 3 ? Promise.reject(transient()) : run(),
  }]);
  await withPlatform(async (platform) => {
    const { operation } = await create(platform);
    await platform.clock.advance(0);
    await platform.crash();
    assert.equal(failures, 1);
    await platform.clock.advance(24 * 3_600_000);
    await platform.restart();
    await platform.settle();
    assert.equal((await platform.operation(operation!.value.name)).state, "SUCCEEDED");
  }, { definitions });
});

Deno.test("the deadline of a deletion counts from its own start, not from its wait", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "environment.create",
    step: "create_namespace",
    run: hang,
    undo: async (undo, call) => {
      if (call <= 3) throw transient();
      await undo();
    },
  }]);
  await withPlatform(async (platform) => {
    const { deps, caller, clock } = platform;
    await create(platform);
    await clock.advance(100);
    const name = "environments/dev";
    const result = await deleteEnvironment(deps, caller, {
      name,
      etag: "",
      force: true,
      allowMissing: false,
      abandon: false,
      timeoutMs: 30_000,
    });
    const { value } = result.operation!;
    const ended = await platform.ended(result);
    assert.deepEqual([ended.state, ended.error], ["SUCCEEDED", null]);
    assert.equal(ended.deadline - ended.startTime!, value.deadline - value.createTime);
  }, { definitions });
});

Deno.test("a request that is repeated during its admission gets the answer of the first call", async () => {
  const clock = new FakeClock();
  const store = new FailingStore(openMemoryStore(), clock);
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    // Its lock is written late, and another process is first.
    store.plan("late", 2, 1_000);
    const first = createEnvironment(deps, caller, request);
    const refused = rejectsWith(first, "ALREADY_EXISTS", "ENVIRONMENT_EXISTS");
    await clock.advance(0);
    await platform.ended(await create(platform));
    const again = createEnvironment(deps, caller, request);
    const alsoRefused = rejectsWith(again, "ALREADY_EXISTS", "ENVIRONMENT_EXISTS");
    await clock.advance(5_000);
    await Promise.all([refused, alsoRefused]);
    assert.equal(await store.operations.count({}), 1);
  }, { store, clock });
});
