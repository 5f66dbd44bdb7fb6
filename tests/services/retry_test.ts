import assert from "node:assert/strict";
import type { ErrorRecord } from "@mpc/domain";
import {
  cancelOperation,
  deleteEnvironment,
  explainOperation,
  retryOperation,
  updateEnvironment,
} from "@mpc/services";
import { DEFINITIONS } from "@mpc/services/sagas";
import { closeOperation } from "../../worker/engine/close_operation.ts";
import { faultyDefinitions, hang, permanent } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, SCENARIOS } from "../fakes/scenarios.ts";

const DEV = "environments/dev";

const TERMINATED: ErrorRecord = {
  code: "ABORTED",
  reason: "WORKFLOW_TERMINATED",
  message: "The workflow was terminated",
  retryable: false,
  metadata: {},
  causes: [],
};

Deno.test("a retry waits for the rollout that its repeated first step begins", async () => {
  let broken = true;
  const waits: string[] = [];
  const { definitions } = faultyDefinitions([
    {
      kind: "workload.deploy",
      step: "await_rollout",
      run: (run, _call, { operation }) => {
        waits.push(operation);
        return run();
      },
    },
    {
      kind: "workload.deploy",
      step: "record_revision",
      run: (run) => broken ? Promise.reject(permanent()) : run(),
    },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(await deploy(platform));
    assert.equal(failed.state, "FAILED");
    broken = false;
    const again = await platform.ended(await retryOperation(deps, caller, { name: failed.name }));
    assert.equal(again.state, "SUCCEEDED");
    assert.deepEqual(
      waits,
      [failed.name, again.name],
      "each applied the workload, and each waited",
    );
    await platform.assertSound();
  }, { definitions });
});

for (const abandon of [false, true]) {
  const kind = abandon ? "environment.abandon" : "environment.delete";
  Deno.test(`a retry of ${kind} that its engine ended claims the workloads itself`, async () => {
    let reached = false;
    const { definitions } = faultyDefinitions([{
      kind,
      step: abandon ? "record_orphans" : "delete_workloads",
      run: (run) => {
        if (reached) return run();
        reached = true;
        return new Promise(() => {});
      },
    }]);
    await withPlatform(async (platform) => {
      const { store, clock, deps, caller } = platform;
      await platform.ended(await create(platform));
      await platform.ended(await deploy(platform));
      const request = { etag: "", force: true, allowMissing: false, timeoutMs: null };
      const { operation } = await deleteEnvironment(deps, caller, {
        ...request,
        name: DEV,
        abandon,
      });
      const name = operation!.value.name;
      await clock.advance(100);
      assert.ok(reached, "it holds the workloads");
      await platform.crash();
      await closeOperation({ store, clock }, name, TERMINATED);
      assert.equal((await platform.operation(name)).state, "NEEDS_ATTENTION");
      await platform.restart();
      const again = await platform.ended(await retryOperation(deps, caller, { name }));
      assert.equal(again.state, "SUCCEEDED");
      assert.equal(await store.workloads.count({}), 0, "no workload is left without environment");
      await platform.janitor().pass();
      await platform.assertSound();
    }, { definitions });
  });
}

Deno.test("a retry that would let an environment expire at once is rejected", async () => {
  let broken = true;
  const { definitions } = faultyDefinitions([{
    kind: "environment.update",
    step: "apply_policies",
    run: (run) => broken ? Promise.reject(permanent()) : run(),
  }]);
  await withPlatform(async (platform) => {
    const { deps, caller, clock, store } = platform;
    await platform.ended(await create(platform));
    const failed = await platform.ended(
      await updateEnvironment(deps, caller, { name: DEV, etag: "", change: { ttlMs: 600_000 } }),
    );
    assert.equal(failed.state, "FAILED");
    broken = false;
    await clock.advance(3_600_000);
    await rejectsWith(
      retryOperation(deps, caller, { name: failed.name }),
      "FAILED_PRECONDITION",
      "EXPIRE_TIME_PASSED",
    );
    assert.equal((await store.environments.get(DEV))?.value.expireTime, null, "it never expires");
  }, { definitions });
});

Deno.test("a retry of a cancelled deployment undoes what is left of it, and deploys nothing", async () => {
  const fault = { kind: "workload.deploy", step: "record_revision" } as const;
  const { definitions } = faultyDefinitions([{
    ...fault,
    run: async (run, _call, { signal }) => {
      await run();
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject()));
    },
    undo: () => Promise.reject(permanent()),
  }]);
  await withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    const { operation } = await deploy(platform);
    const { name } = operation!.value;
    const revision = () => store.revisions.get("environments/dev/workloads/web/revisions/1");
    while (!await revision()) await platform.clock.advance(100);
    await cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    const cancelled = await platform.ended({ operation: operation!, plan: null });
    assert.equal(cancelled.state, "NEEDS_ATTENTION");
    assert.deepEqual(cancelled.residue.map(({ remedy }) => remedy), [
      `mpctl op retry ${name.slice("operations/".length)}`,
    ]);
    await platform.crash();
    platform.definitions = DEFINITIONS;
    await platform.restart();
    const again = await platform.ended(await retryOperation(deps, caller, { name }));
    assert.equal(again.state, "CANCELLED");
    assert.deepEqual(
      again.steps.map(({ name, state }) => [name, state]),
      [["apply_workload", "UNDONE"], ["await_rollout", "SUCCEEDED"], ["record_revision", "UNDONE"]],
    );
    assert.equal(await revision(), undefined);
    assert.equal(await store.workloads.count({}), 0, "the first deployment leaves no workload");
    await platform.assertSound();
  }, { definitions });
});

Deno.test("a retry of a cancelled operation that its engine ended undoes what its steps did", async () => {
  const { definitions } = faultyDefinitions([
    { kind: "workload.deploy", step: "apply_workload", run: (run) => run().then(hang) },
  ]);
  await withPlatform(async (platform) => {
    const { store, clock, deps, caller } = platform;
    await platform.ended(await create(platform));
    const { operation } = await deploy(platform);
    const { name } = operation!.value;
    await clock.advance(100);
    await platform.crash();
    await cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    await closeOperation({ store, clock }, name, TERMINATED);
    const closed = await platform.operation(name);
    assert.equal(closed.state, "NEEDS_ATTENTION");
    assert.equal(closed.steps[0]!.state, "FAILED", "no step of an ended operation runs");
    platform.definitions = DEFINITIONS;
    await platform.restart();
    const again = await platform.ended(await retryOperation(deps, caller, { name }));
    assert.deepEqual([again.state, again.steps[0]!.state], ["CANCELLED", "UNDONE"]);
    await platform.assertSound();
  }, { definitions });
});

for (
  const [kind, step, command] of [
    ["platform.claim", "claim_cluster", "mpctl doctor --claim default"],
    ["platform.sweep", "delete_objects", "mpctl doctor --sweep"],
  ] as const
) {
  Deno.test(`a failed ${kind} is not retried: it names the command that requests it anew`, async () => {
    const { definitions } = faultyDefinitions([
      { kind, step, run: () => Promise.reject(permanent()) },
    ]);
    await withPlatform(async (platform) => {
      const { deps, caller } = platform;
      const scenario = SCENARIOS.find((scenario) => scenario.kind === kind)!;
      await scenario.prepare(platform);
      const failed = await platform.ended(await scenario.request(platform));
      assert.equal(failed.state, "FAILED");
      const retry = retryOperation(deps, caller, { name: failed.name });
      const { message } = await rejectsWith(retry, "FAILED_PRECONDITION", "NOT_RETRYABLE");
      assert.ok(message.endsWith(`; run '${command}' again`), message);
      const { nextCommand } = await explainOperation(deps, caller, failed.name);
      assert.equal(nextCommand, command);
    }, { definitions });
  });
}
