/**
 * The workflow alone, with activities that the test plays, on Temporal's server that skips time.
 */
import assert from "node:assert/strict";
import type { ErrorRecord } from "@mpc/domain";
import { WorkflowFailedError } from "@temporalio/client";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { Worker } from "@temporalio/worker";
import type {
  EndTask,
  OperationTask,
  StepResult,
  StepTask,
} from "../../worker/engine/temporal/workflow_messages.ts";
import { stepFailed, stepRetries } from "../../worker/engine/temporal/step_failures.ts";
import { installRuntime } from "../../worker/engine/temporal/install_runtime.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { temporalTestServer } from "../servers/temporal_test_server.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";

const HOUR_MS = 3_600_000;
const OPERATION = "operations/1";

installRuntime();
const environment = await TestWorkflowEnvironment.createTimeSkipping({
  server: { executable: { type: "existing-path", path: await temporalTestServer() } },
});
Deno.test.afterAll(() => environment.teardown());

const ERROR: ErrorRecord = {
  code: "UNAVAILABLE",
  reason: "CLUSTER_UNREACHABLE",
  message: "as the test says",
  retryable: true,
  metadata: {},
  causes: [],
};

const done = (step: string, state: "SUCCEEDED" | "UNDONE"): StepResult => ({
  status: "succeeded",
  ends: [{ step, state, output: null, time: 1 }],
  marked: false,
});

type Play = Readonly<Record<string, (task: StepTask) => StepResult | Promise<StepResult>>>;

let queues = 0;

/** Creates an environment with these activities. @returns the calls in order, and the end */
async function create(play: Play, carried: Partial<OperationTask["carried"]> = {}) {
  const calls: string[] = [];
  const tasks: StepTask[] = [];
  let end: EndTask | undefined;
  const names = ["create_namespace", "apply_policies"].flatMap((name) => [name, `${name}.undo`]);
  const activities = {
    ...Object.fromEntries(names.map((name) => [name, (task: StepTask) => {
      calls.push(name);
      tasks.push(task);
      const [step = "", undo] = name.split(".");
      return play[name]?.(task) ?? done(step, undo ? "UNDONE" : "SUCCEEDED");
    }])),
    end_operation: (task: EndTask) => {
      calls.push("end_operation");
      end = task;
    },
  };
  const taskQueue = `played-${queues++}`;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    activities,
    workflowBundle: { codePath: await workflowBundle() },
  });
  const task: OperationTask = {
    operation: OPERATION,
    carried: { runs: {}, undos: {}, open: null, ends: [], cancelled: false, ...carried },
  };
  const before = await environment.currentTimeMs();
  const failure = await worker.runUntil(async () => {
    try {
      await environment.client.workflow.execute("environment.create", {
        args: [task],
        taskQueue,
        workflowId: taskQueue,
      });
      return undefined;
    } catch (error) {
      assert.ok(error instanceof WorkflowFailedError);
      return error;
    }
  });
  const tookMs = await environment.currentTimeMs() - before;
  return { calls, tasks, end, failure, tookMs };
}

Deno.test(
  "workflow: the end of a step is passed to the next one, the last one to the end",
  NO_SANITIZERS,
  async () => {
    const { calls, tasks, end } = await create({});
    assert.deepEqual(calls, ["create_namespace", "apply_policies", "end_operation"]);
    assert.deepEqual(tasks.map(({ ends }) => ends.map(({ step }) => step)), [[], [
      "create_namespace",
    ]]);
    assert.deepEqual(end?.ends.map(({ step }) => step), ["apply_policies"]);
    assert.equal(end?.outcome.state, "SUCCEEDED");
  },
);

Deno.test(
  "workflow: a step is retried when it says, even hours later",
  NO_SANITIZERS,
  async () => {
    let tries = 0;
    const { calls, tookMs } = await create({
      create_namespace() {
        if (++tries < 3) throw stepRetries(ERROR, HOUR_MS);
        return done("create_namespace", "SUCCEEDED");
      },
    });
    assert.equal(calls.filter((name) => name === "create_namespace").length, 3);
    assert.ok(tookMs >= 2 * HOUR_MS, `two hours, by the server's clock: ${tookMs}`);
  },
);

Deno.test(
  "workflow: after a permanent failure steps are undone in reverse, and the workflow fails",
  NO_SANITIZERS,
  async () => {
    const { calls, end, failure } = await create({
      apply_policies() {
        throw stepFailed(ERROR);
      },
    });
    assert.deepEqual(calls, [
      "create_namespace",
      "apply_policies",
      "apply_policies.undo",
      "create_namespace.undo",
      "end_operation",
    ]);
    assert.deepEqual(end?.outcome, { state: "FAILED", error: ERROR, stuck: [] });
    assert.equal((failure?.cause as { type?: string }).type, "UNAVAILABLE");
  },
);

Deno.test(
  "workflow: a failed undo does not keep the other steps from being undone",
  NO_SANITIZERS,
  async () => {
    const { calls, end } = await create({
      apply_policies() {
        throw stepFailed(ERROR);
      },
      "apply_policies.undo": () => {
        throw stepFailed({ ...ERROR, reason: "CLUSTER_FORBIDS" });
      },
    });
    assert.ok(calls.includes("create_namespace.undo"));
    assert.equal(end?.outcome.state, "NEEDS_ATTENTION");
    assert.deepEqual(end?.outcome.stuck, ["apply_policies"]);
    assert.equal(end?.outcome.error?.reason, "CLUSTER_UNREACHABLE");
  },
);

Deno.test(
  "workflow: a cancellation mark that a step has seen keeps the next one from beginning",
  NO_SANITIZERS,
  async () => {
    const { calls, end } = await create({
      create_namespace: () => ({ ...done("create_namespace", "SUCCEEDED"), marked: true }),
    });
    assert.deepEqual(calls, ["create_namespace", "create_namespace.undo", "end_operation"]);
    assert.equal(end?.outcome.state, "CANCELLED");
  },
);

Deno.test(
  "workflow: steps that the journal already has are not run again",
  NO_SANITIZERS,
  async () => {
    const { calls, end } = await create({}, {
      runs: { create_namespace: { status: "succeeded" } },
    });
    assert.deepEqual(calls, ["apply_policies", "end_operation"]);
    assert.equal(end?.outcome.state, "SUCCEEDED");
  },
);

Deno.test(
  "workflow: an unexpected error is retried by the policy of the step",
  NO_SANITIZERS,
  async () => {
    let tries = 0;
    const { calls, tookMs } = await create({
      apply_policies: () =>
        ++tries === 1 ? Promise.reject(new Error("the store cannot be reached")) : done(
          "apply_policies",
          "SUCCEEDED",
        ),
    });
    assert.equal(calls.filter((name) => name === "apply_policies").length, 2);
    assert.ok(tookMs >= 500, `after its first pause: ${tookMs}`);
  },
);
