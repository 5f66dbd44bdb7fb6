/**
 * Old histories must replay with the current workflows: otherwise a change breaks running
 * operations.
 */
import assert from "node:assert/strict";
import { OPERATION_KINDS } from "@mpc/domain";
import { type Definition, DEFINITIONS } from "@mpc/services/sagas";
import { DeterminismViolationError } from "@temporalio/workflow";
import { Worker } from "@temporalio/worker";
import { bundleWorkflows } from "../../worker/engine/temporal/bundle_workflows.ts";
import { installRuntime } from "../../worker/engine/temporal/install_runtime.ts";
import { stepListsSource } from "../../worker/engine/temporal/step_lists_source.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";
import { readHistories } from "./histories.ts";

installRuntime();
const histories = await readHistories();

Deno.test("there are histories of every kind and ending", () => {
  const endings = ["succeeded", "retried", "failed", "stuck", "cancelled"];
  assert.deepEqual(
    histories.map(({ name }) => name),
    OPERATION_KINDS.flatMap((kind) => endings.map((ending) => `${kind}.${ending}`)).toSorted(),
  );
});

Deno.test("histories contain nothing about the machine that recorded them", () => {
  const named = histories.filter(({ history }) => JSON.stringify(history).includes("file://"));
  assert.deepEqual(named.map(({ name }) => name), [], "a replay needs no paths");
});

Deno.test({
  name: "every recorded history replays",
  ...NO_SANITIZERS,
  async fn(t) {
    const codePath = await workflowBundle();
    for (const { name, history } of histories) {
      await t.step({
        name,
        ...NO_SANITIZERS,
        fn: () => Worker.runReplayHistory({ workflowBundle: { codePath } }, history),
      });
    }
  },
});

Deno.test({
  name: "a reordered step list is detected",
  ...NO_SANITIZERS,
  async fn() {
    const create = DEFINITIONS["environment.create"];
    const reordered = { ...create, steps: create.steps.toReversed() } as Definition;
    const stepLists = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(
        stepLists,
        stepListsSource({ ...DEFINITIONS, "environment.create": reordered }),
      );
      const code = await bundleWorkflows({ stepLists });
      const { history } = histories.find(({ name }) => name === "environment.create.succeeded")!;
      await assert.rejects(
        Worker.runReplayHistory({ workflowBundle: { code } }, history),
        DeterminismViolationError,
      );
    } finally {
      await Deno.remove(stepLists);
    }
  },
});
