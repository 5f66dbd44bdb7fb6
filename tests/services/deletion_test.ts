import assert from "node:assert/strict";
import { idOf } from "@mpc/domain";
import { deleteEnvironment, explainOperation, updateEnvironment } from "@mpc/services";
import { ClusterRegistry } from "../../worker/providers/kubernetes/cluster_registry.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { faultyDefinitions, permanent } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import { create, deploy, removeEnvironment, removeWorkload } from "../fakes/scenarios.ts";

const NAME = "environments/dev";

Deno.test("at its deadline a deletion becomes DELETE_FAILED and says what blocks it", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const failed = await platform.ended(await removeEnvironment(platform, { timeoutMs: 40_000 }));
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
      /held by Deployment\/dev\/web \(finalizer simulated\/sticky; to lift it, run 'mpctl .*'\)/,
    );
    const { deps, caller } = platform;
    const explanation = await explainOperation(deps, caller, failed.name);
    assert.match(explanation.summary, /failed at step 'delete_workloads'; undone: stop_workloads$/);
    assert.equal(explanation.responsible, "cluster");
    const lift = "mpctl workload delete web --env dev";
    assert.equal(explanation.nextCommand, `${lift} && mpctl op retry ${idOf(failed.name)}`);
    const [finding] = await platform.findings();
    assert.deepEqual(
      [finding?.invariant, finding?.subject, finding?.remedy],
      ["DELETION_FAILED", NAME, `${lift} && mpctl env delete dev --force`],
    );
    const { value } = (await platform.store.environments.get(NAME))!;
    assert.equal(value.state, "DELETE_FAILED");
    const ready = value.conditions.find(({ type }) => type === "Ready");
    assert.match(ready?.message ?? "", /finalizer/);
    await platform.clock.advance(60_000);
    assert.equal((await platform.ended(await removeEnvironment(platform))).state, "SUCCEEDED");
  }));

Deno.test("the error about a cluster that is gone names a command that works with workloads", () => {
  let cluster = "default";
  return withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    cluster = "west";
    const { value, version } = (await store.environments.get(NAME))!;
    await store.environments.replace({ ...value, cluster }, version);
    const { state, error } = await platform.ended(await removeEnvironment(platform));
    assert.deepEqual([state, error?.reason], ["FAILED", "UNKNOWN_CLUSTER"]);
    const [, id, flags] = /'mpctl env delete (\S+) (.*)'$/.exec(error?.message ?? "")!;
    const request = {
      name: `environments/${id}`,
      etag: "",
      force: flags!.includes("--force"),
      abandon: flags!.includes("--abandon"),
      allowMissing: false,
      timeoutMs: null,
    };
    const forgotten = await platform.ended(await deleteEnvironment(deps, caller, request));
    assert.equal(forgotten.state, "SUCCEEDED");
    assert.equal(await store.environments.get(NAME), undefined);
  }, {
    provider: (bare) =>
      new ClusterRegistry({
        clusters: new Map([["default", bare]]),
        findCluster: () => Promise.resolve(cluster),
        clock: new FakeClock(),
      }),
  });
});

Deno.test("while a deletion is blocked, explain names the command that lifts the block", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    const { operation } = await removeWorkload(platform);
    await platform.clock.advance(2_000);
    const explanation = await explainOperation(deps, caller, operation!.value.name);
    assert.match(explanation.summary, /blocked by Deployment\/dev\/web \(finalizer .*run 'mpctl/);
    assert.equal(explanation.responsible, "cluster");
    assert.equal(explanation.nextCommand, "mpctl workload delete web --env dev");
    await platform.settle();
    assert.equal((await platform.operation(operation!.value.name)).state, "SUCCEEDED");
  }));

Deno.test("objects of an abandoned environment are listed as orphans, and swept once they are unblocked", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:sticky"));
    await platform.ended(await removeEnvironment(platform, { abandon: true }));
    const orphans = async () =>
      (await platform.store.orphans.list({ limit: 10 })).items
        .map(({ value }) => value.target);
    assert.deepEqual((await orphans()).toSorted(), [NAME, `${NAME}/workloads/web`]);
    await platform.assertSound(({ invariant }) => invariant === "OBJECT_WITHOUT_RECORD");
    const sweep = platform.janitor().pass();
    await platform.clock.advance(20_000);
    await sweep;
    assert.equal((await orphans()).length, 2, "a finalizer still holds them");
    await platform.clock.advance(60_000);
    await platform.janitor().pass();
    assert.deepEqual(await orphans(), []);
    assert.deepEqual((await platform.cluster.inventory(platform.caller)).objects, []);
  }));

Deno.test("deletion_protection rejects deletion, with and without force", () =>
  withPlatform(async (platform) => {
    const { deps, caller } = platform;
    await platform.ended(await create(platform));
    const change = { deletionProtection: true };
    await platform.ended(await updateEnvironment(deps, caller, { name: NAME, etag: "", change }));
    for (const force of [true, false]) {
      await rejectsWith(
        removeEnvironment(platform, { force }),
        "FAILED_PRECONDITION",
        "DELETION_PROTECTED",
      );
    }
  }));

Deno.test("an environment with workloads can be deleted only with force", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const refused = removeEnvironment(platform, { force: false });
    await rejectsWith(refused, "FAILED_PRECONDITION", "ENVIRONMENT_NOT_EMPTY");
    await platform.ended(await removeEnvironment(platform));
    await platform.assertSound();
  }));

Deno.test("allow_missing returns an operation that has succeeded", () =>
  withPlatform(async (platform) => {
    const { operation } = await removeEnvironment(platform, { allowMissing: true });
    assert.equal(operation?.value.state, "SUCCEEDED");
    await rejectsWith(removeEnvironment(platform), "NOT_FOUND", "ENVIRONMENT_NOT_FOUND");
  }));

Deno.test("100 parallel requests with one id to delete a missing environment get one operation", () =>
  withPlatform(async (platform) => {
    const request = { allowMissing: true, requestId: requestIdOf(1) };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => removeEnvironment(platform, request)),
    );
    assert.equal(new Set(answers.map(({ operation }) => operation?.value.name)).size, 1);
    assert.equal(await platform.store.operations.count({}), 1);
  }));

Deno.test("a planned deletion is rejected if its target has been deleted in the meantime", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const request = { allowMissing: true, validateOnly: true };
    const planHash = (await removeEnvironment(platform, request)).plan?.planHash ?? "";
    await platform.ended(await removeEnvironment(platform));
    const late = removeEnvironment(platform, { allowMissing: true, planHash });
    await rejectsWith(late, "ABORTED", "PLAN_OUTDATED");
    const nothing = (await removeEnvironment(platform, request)).plan?.planHash ?? "";
    const { operation } = await removeEnvironment(platform, {
      allowMissing: true,
      planHash: nothing,
    });
    assert.equal(operation?.value.state, "SUCCEEDED");
  }));

Deno.test("a workload that is deployed again after a failed abandon is not swept", async () => {
  const { definitions } = faultyDefinitions([{
    kind: "workload.abandon",
    step: "record_orphans",
    run: async (run) => {
      await run();
      throw permanent();
    },
  }]);
  await withPlatform(async (platform) => {
    const { caller, store, cluster } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    const { state } = await platform.ended(await removeWorkload(platform, { abandon: true }));
    assert.equal(state, "FAILED");
    await platform.ended(await deploy(platform));
    await platform.janitor().pass();
    await platform.assertSound();
    await platform.ended(await removeWorkload(platform));
    await platform.janitor().pass();
    assert.equal(await store.orphans.count({}), 0);
    const { objects: left } = await cluster.inventory(caller);
    assert.deepEqual([...new Set(left.map(({ target }) => target))], [NAME]);
  }, { definitions });
});
