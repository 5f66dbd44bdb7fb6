/** Operations on Temporal's own server: what operators see there, and what they may do. */
import assert from "node:assert/strict";
import { OPERATION_KINDS } from "@mpc/domain";
import { PROGRESS_QUERY } from "../../worker/engine/temporal/workflow_messages.ts";
import { faultyDefinitions, hang, permanent } from "../fakes/faulty_definitions.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { withSecondStep } from "./with_second_step.ts";
import { shareTemporal } from "./shared_temporal.ts";
import { payloadsOf, TemporalWorld, withClient, workflowOf } from "./temporal_world.ts";

const { address, ownQueue } = await shareTemporal();

const inSecondStep = (world: TemporalWorld, name: string) =>
  world.until(name, ({ steps }) => steps[1]!.state === "RUNNING");

Deno.test({
  name: "an operation is found in Temporal by environment, kind and actor, without its secrets",
  ...NO_SANITIZERS,
  async fn() {
    await using world = await TemporalWorld.start(address, ownQueue());
    await world.ended(await world.create());
    const name = await world.deploy("hunter2");
    assert.equal((await world.ended(name)).state, "SUCCEEDED");
    await withClient(address, async (client) => {
      const handle = workflowOf(client, name);
      await handle.result();
      const { type, memo, searchAttributes } = await handle.describe();
      assert.equal(type, "workload.deploy");
      assert.deepEqual(memo, {
        target: "environments/dev/workloads/web",
        kind: "workload.deploy",
        actor: "ann",
      });
      assert.deepEqual(searchAttributes["MpcEnvironment"], ["dev"]);
      assert.deepEqual(searchAttributes["MpcKind"], ["workload.deploy"]);
      assert.deepEqual(searchAttributes["MpcActor"], ["ann"]);
      assert.deepEqual(await handle.query(PROGRESS_QUERY), {
        running: null,
        done: ["apply_workload", "await_rollout", "record_revision"],
        undone: [],
        cancelled: false,
      });
      const written = payloadsOf(await handle.fetchHistory()).join("\n");
      assert.ok(written.includes(name), "payloads can be read");
      assert.ok(!written.includes("hunter2"), "no secret is in the history");
    });
  },
});

Deno.test({
  name: "the workflow's memo has the trace of its caller",
  ...NO_SANITIZERS,
  async fn() {
    await using world = await TemporalWorld.start(address, ownQueue());
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const name = await world.create("traced", traceparent);
    await world.ended(name);
    await withClient(address, async (client) => {
      const { memo } = await workflowOf(client, name).describe();
      assert.equal(memo?.["traceparent"], traceparent);
    });
  },
});

Deno.test({
  name: "an operation has one workflow, however often it is started, even after its end",
  ...NO_SANITIZERS,
  async fn() {
    await using world = await TemporalWorld.start(address, ownQueue());
    const name = await world.create();
    await Promise.all(Array.from({ length: 10 }, () => world.engine.start(name)));
    await world.ended(name);
    await world.engine.start(name);
    const events = await world.store.events.read(0, 1_000);
    const begun = events.filter(({ message }) => message.includes("'create_namespace' begins"));
    assert.equal(begun.length, 1);
  },
});

Deno.test({
  name: "the operation of a terminated workflow says so, with what may be left",
  ...NO_SANITIZERS,
  async fn() {
    const definitions = withSecondStep({ run: hang });
    await using world = await TemporalWorld.start(address, { ...ownQueue(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, (client) => workflowOf(client, name).terminate("by hand"));
    await world.janitor();
    const { state, error, residue } = await world.ended(name);
    assert.equal(state, "NEEDS_ATTENTION");
    assert.equal(error?.reason, "WORKFLOW_TERMINATED");
    assert.match(error?.message ?? "", /terminated in Temporal: by hand$/);
    assert.deepEqual(residue.map(({ object }) => object), ["Namespace/dev", "ResourceQuota/dev"]);
    const environment = (await world.store.environments.get("environments/dev"))!.value;
    assert.equal(environment.state, "CREATE_FAILED");
    assert.equal(environment.currentOperation, null);
  },
});

Deno.test({
  name: "a workflow that is cancelled in Temporal cancels the operation, which undoes its steps",
  ...NO_SANITIZERS,
  async fn() {
    const definitions = withSecondStep({
      run: (_run, _call, { signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason), { once: true })
        ),
    });
    await using world = await TemporalWorld.start(address, { ...ownQueue(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, (client) => workflowOf(client, name).cancel());
    const { state, cancellation, steps } = await world.ended(name);
    assert.equal(state, "CANCELLED");
    assert.equal(cancellation?.actor, "system:temporal");
    assert.deepEqual(steps.map((step) => step.state), ["UNDONE", "UNDONE"]);
    assert.equal(await world.store.environments.get("environments/dev"), undefined);
  },
});

Deno.test({
  name: "a workflow that was reset continues, and repeats nothing that the journal has",
  ...NO_SANITIZERS,
  async fn() {
    let runs = 0;
    const definitions = faultyDefinitions([{
      kind: "environment.create",
      step: "create_namespace",
      run: (run) => {
        runs++;
        return run();
      },
    }, {
      kind: "environment.create",
      step: "apply_policies",
      run: (run, call) => call === 1 ? hang() : run(),
    }]).definitions;
    await using world = await TemporalWorld.start(address, { ...ownQueue(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, async (client) => {
      const execution = { workflowId: workflowOf(client, name).workflowId };
      await client.workflowService.resetWorkflowExecution({
        namespace: "default",
        workflowExecution: execution,
        reason: "by hand",
        workflowTaskFinishEventId: 4 as never,
        requestId: crypto.randomUUID(),
      });
    });
    const { state } = await world.ended(name);
    assert.equal(state, "SUCCEEDED");
    assert.equal(runs, 1);
  },
});

Deno.test({
  name: "an operation with a long history continues in a new run of its workflow",
  ...NO_SANITIZERS,
  async fn() {
    const short = await startTemporalServer({
      dynamicConfig: ["limit.historyCount.suggestContinueAsNew=5"],
    });
    try {
      await using world = await TemporalWorld.start(short.address, {
        definitions: withSecondStep({ run: () => Promise.reject(permanent()) }),
      });
      const name = await world.create();
      const { state, steps } = await world.ended(name);
      assert.equal(state, "FAILED");
      assert.deepEqual(steps.map((step) => step.state), ["UNDONE", "UNDONE"]);
      await withClient(short.address, async (client) => {
        const runs = await Array.fromAsync(
          client.workflow.list({ query: `WorkflowType = '${OPERATION_KINDS[0]}'` }),
        );
        assert.ok(runs.some(({ status }) => status.name === "CONTINUED_AS_NEW"));
      });
    } finally {
      await short.stop();
    }
  },
});
