/**
 * What Temporal does not continue is reported within a minute, with a command that leads out.
 */
import assert from "node:assert/strict";
import { diagnose, explainOperation } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { STEP_LISTS } from "../../worker/engine/temporal/workflows/step_lists.ts";
import { bundleWorkflows } from "../../worker/engine/temporal/bundle_workflows.ts";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { EXACT_TIMERS, runTemporal, startTemporalServer } from "../servers/temporal_server.ts";
import { withFolder } from "../servers/with_folder.ts";
import {
  simulated,
  TemporalWorld,
  TEST_INSTALLATION,
  withClient,
  workflowOf,
} from "./temporal_world.ts";
import { workflowIdOf } from "../../worker/engine/temporal/workflow_id.ts";

const server = await startTemporalServer({
  dynamicConfig: [
    ...EXACT_TIMERS,
    "frontend.WorkflowPauseEnabled=true",
    // The search attribute appears after the second failure; by default after the fifth.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
  ],
});
Deno.test.afterAll(() => server.stop());
const { address } = server;

let queues = 0;
const ownQueue = () => ({ taskQueue: `stuck-${queues++}` });

/**
 * Definitions in which the second step of environments hangs at its first attempt.
 * @param then replaces its following attempts
 */
function hangingOnce(then?: () => Promise<void>) {
  const hung = new Set<string>();
  return faultyDefinitions([{
    kind: "environment.create",
    step: "apply_policies",
    run(run, _call, { operation }) {
      if (hung.has(operation)) return then?.() ?? run();
      hung.add(operation);
      return hang();
    },
  }]).definitions;
}

const inSecondStep = (world: TemporalWorld, name: string) =>
  world.until(name, ({ steps }) => steps[1]!.state === "RUNNING");

/** The reason that the record, explain and the doctor give, and the command in it. */
async function reported(world: TemporalWorld, name: string, reason: RegExp): Promise<string> {
  const { waitingReason } = await world.until(name, (it) => reason.test(it.waitingReason));
  const { summary, responsible } = await explainOperation(world.deps, world.caller, name);
  assert.ok(summary.includes(waitingReason), summary);
  assert.equal(responsible, "platform");
  const { findings } = await diagnose(world.deps, world.caller);
  assert.ok(
    findings.some(({ subject, message }) =>
      subject === name && message === `It waits: ${waitingReason}`
    ),
    JSON.stringify(findings),
  );
  const [, command] = / by (temporal .*)$/.exec(waitingReason) ?? [];
  assert.ok(command, waitingReason);
  return command;
}

Deno.test({
  name: "a paused activity or workflow says so, and continues after the command that it names",
  ...NO_SANITIZERS,
  async fn() {
    const definitions = hangingOnce();
    await using world = await TemporalWorld.start(address, { config: ownQueue(), definitions });
    const [activity, workflow, cancelled] = [
      await world.create("activity"),
      await world.create("workflow"),
      await world.create("cancelled"),
    ];
    for (const name of [activity, workflow, cancelled]) await inSecondStep(world, name);
    const idOf = (name: string) => workflowIdOf(TEST_INSTALLATION.id, name);
    for (const name of [activity, cancelled]) {
      await runTemporal(
        address,
        `temporal activity pause --workflow-id ${idOf(name)} --activity-id 2 --reason "by hand"`,
      );
    }
    await runTemporal(address, `temporal workflow pause --workflow-id ${idOf(workflow)}`);
    await world.janitor();
    const unpause = await reported(
      world,
      activity,
      /^Cannot continue: step 'apply_policies' is paused in Temporal by '.*' \(by hand\); continue /,
    );
    const resume = await reported(world, workflow, /^Cannot continue: its workflow is paused in /);
    await runTemporal(address, unpause);
    assert.equal((await world.ended(activity)).state, "SUCCEEDED");
    await runTemporal(address, resume);
    assert.equal((await world.ended(workflow)).state, "SUCCEEDED");
    await world.engine.cancel(cancelled);
    assert.equal((await world.ended(cancelled)).state, "CANCELLED", "a paused step is cancelled");
  },
});

Deno.test({
  name: "a workflow that new code cannot replay says so, and starts over by the command it names",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder(async (folder) => {
      const config = ownQueue();
      // The old code has no first step.
      const definitions = hangingOnce(() => Promise.resolve());
      const provider = simulated();
      const lists = `${folder}/step_lists.ts`;
      const [, second] = STEP_LISTS["environment.create"];
      const old = { ...STEP_LISTS, "environment.create": [second] };
      await Deno.writeTextFile(lists, `export const STEP_LISTS = ${JSON.stringify(old)};`);
      const bundlePath = `${folder}/old.js`;
      await Deno.writeTextFile(bundlePath, await bundleWorkflows({ stepLists: lists }));
      const before = await TemporalWorld.start(address, {
        config: { ...config, bundlePath },
        definitions,
        provider,
      });
      const name = await before.create();
      await inSecondStep(before, name);
      await before[Symbol.asyncDispose]();
      await using world = await TemporalWorld.start(address, {
        store: before.store,
        config,
        definitions,
        provider,
      });
      const command = await reported(
        world,
        name,
        /^Cannot continue: the workers' code fails in its workflow \(.*Nondeterminism.*create_/,
      );
      await runTemporal(address, command);
      const { state, error } = await world.ended(name);
      assert.equal(state, "SUCCEEDED", error?.message ?? "");
      await provider.close();
    }),
});

Deno.test({
  name: "what somebody returns for an activity by hand is no result: the step runs again",
  ...NO_SANITIZERS,
  async fn() {
    const definitions = hangingOnce();
    await using world = await TemporalWorld.start(address, { config: ownQueue(), definitions });
    const [name, cancelled] = [await world.create("a"), await world.create("b")];
    for (const operation of [name, cancelled]) {
      await inSecondStep(world, operation);
      const workflow = workflowIdOf(TEST_INSTALLATION.id, operation);
      if (operation === cancelled) await world.engine.cancel(operation);
      await runTemporal(
        address,
        `temporal activity complete --workflow-id ${workflow} --activity-id 2 --result 7`,
      );
    }
    const { state, steps } = await world.ended(name);
    assert.equal(state, "SUCCEEDED");
    assert.deepEqual(steps.map(({ attempts }) => attempts.length), [1, 2]);
    assert.equal((await world.ended(cancelled)).state, "CANCELLED");
  },
});

Deno.test({
  name: "a paused schedule is a problem of the worker, a deleted or changed one is put back",
  ...NO_SANITIZERS,
  async fn() {
    const config = ownQueue();
    await using world = await TemporalWorld.start(address, { config });
    const schedule = (pass: string) =>
      `mpc-${config.taskQueue}-${TEST_INSTALLATION.id}-${pass}_pass`;
    const passed: string[] = [];
    const pass = (name: string) => ({
      name: `${name}_pass`,
      everyMs: 1_000,
      run: () => Promise.resolve(void passed.push(name)),
    });
    await world.engine.repeat!([pass("expiry"), pass("janitor"), pass("drift")]);
    await runTemporal(
      address,
      `temporal schedule toggle --pause --schedule-id ${schedule("expiry")} --reason "by hand"`,
    );
    await runTemporal(address, `temporal schedule delete --schedule-id ${schedule("janitor")}`);
    await runTemporal(
      address,
      `temporal schedule update --schedule-id ${schedule("drift")} --interval 8760h ` +
        `--type other --task-queue elsewhere`,
    );
    await eventually("the pause is reported", () => {
      assert.equal(world.engine.periodicProblem?.reason, "ENGINE_HOUSEKEEPING");
      return Promise.resolve();
    });
    const { findings } = await diagnose(world.deps, world.caller);
    const [finding] = findings.filter(({ invariant }) => invariant === "ENGINE_WORKS");
    assert.match(
      finding?.message ?? "",
      /^Periodic task 'expiry_pass' does not run: its schedule is paused in Temporal \(by hand\); /,
    );
    passed.length = 0;
    await runTemporal(address, finding!.remedy);
    await eventually("every pass runs, and the problem is gone", () => {
      assert.deepEqual([...new Set(passed)].toSorted(), ["drift", "expiry", "janitor"]);
      assert.equal(world.engine.periodicProblem, undefined);
      return Promise.resolve();
    });
  },
});

Deno.test({
  name: "periodic tasks that fail again and again are a problem of the worker until one succeeds",
  ...NO_SANITIZERS,
  async fn() {
    await using world = await TemporalWorld.start(address, { config: ownQueue() });
    let disk = "is full";
    const run = () => disk ? Promise.reject(new Error(`the disk ${disk}`)) : Promise.resolve();
    await world.engine.repeat!([{ name: "retention_pass", everyMs: 1_000, run }]);
    await eventually("the failures are reported", () => {
      assert.match(
        world.engine.periodicProblem?.message ?? "",
        /^Periodic task 'retention_pass' fails again and again: the disk is full; see temporal /,
      );
      return Promise.resolve();
    });
    await runTemporal(address, world.engine.periodicProblem!.metadata["command"]!);
    disk = "";
    await eventually("a success is noticed", () => {
      assert.equal(world.engine.periodicProblem, undefined);
      return Promise.resolve();
    });
  },
});

Deno.test({
  name: "a search attribute of another type is reported, and the command that is named mends it",
  ...NO_SANITIZERS,
  async fn() {
    const own = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
    try {
      const attribute = "temporal operator search-attribute";
      await runTemporal(own.address, `${attribute} create --name MpcKind --type Int`);
      await using world = await TemporalWorld.start(own.address);
      assert.equal(world.engine.problem?.reason, "ENGINE_SEARCH_ATTRIBUTES");
      const name = await world.create("first");
      const command = await reported(world, name, /attribute 'MpcKind' is not a Keyword; /);
      await runTemporal(own.address, command);
      assert.equal((await world.ended(name)).state, "SUCCEEDED");
      await world.engine.close();
    } finally {
      await own.stop();
    }
  },
});

Deno.test({
  name: "a note of a worker that is gone is removed by the others",
  ...NO_SANITIZERS,
  async fn() {
    const definitions = hangingOnce();
    await using world = await TemporalWorld.start(address, { config: ownQueue(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    const { value, version } = (await world.store.operations.get(name))!;
    const waitingReason = "Cannot continue: no worker has build '1'";
    await world.store.operations.replace({ ...value, waitingReason }, version);
    const { state } = await world.until(name, (it) => it.waitingReason === "");
    assert.equal(state, "RUNNING");
    await withClient(address, (client) => workflowOf(client, name).terminate());
  },
});

Deno.test({
  name: "an operation on a task queue that the workers have left says so, until one polls it",
  ...NO_SANITIZERS,
  async fn() {
    // It forgets pollers at once, which takes minutes otherwise.
    const forgetful = await startTemporalServer({
      dynamicConfig: [...EXACT_TIMERS, 'matching.PollerHistoryTTL="1s"'],
    });
    const provider = simulated();
    try {
      const definitions = hangingOnce();
      const worker = (taskQueue: string, store = openMemoryStore()) =>
        TemporalWorld.start(forgetful.address, {
          store,
          provider,
          definitions,
          config: { taskQueue },
        });
      const before = await worker("old-queue");
      const name = await before.create();
      await inSecondStep(before, name);
      await before[Symbol.asyncDispose]();
      await using world = await worker("new-queue", before.store);
      const { waitingReason } = await world.until(name, (it) => it.waitingReason !== "");
      assert.match(
        waitingReason,
        /^Cannot continue: it began on task queue 'old-queue-[0-9-]+', which no worker polls; start one by deno task worker --temporal-task-queue old-queue$/,
      );
      await using _again = await worker("old-queue", before.store);
      assert.equal((await world.ended(name)).state, "SUCCEEDED");
    } finally {
      await provider.close();
      await forgetful.stop();
    }
  },
});
