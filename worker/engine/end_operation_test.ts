/** The order of writes at the end of an operation: its last step, its resource, its own record. */
import assert from "node:assert/strict";
import { DEFINITIONS, newStepRecord } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anOperation } from "../../tests/fakes/documents.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { endOperation } from "./end_operation.ts";
import { OperationJournal } from "./operation_journal.ts";
import { noteOfEnd } from "./step_end.ts";

Deno.test("the last step is journaled before the resource is released, and the end is written last", async () => {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const stored = await store.operations.create(
    anOperation("op", {
      state: "RUNNING",
      startTime: clock.now(),
      steps: [{ ...newStepRecord("create_namespace"), state: "RUNNING" }],
    }),
  );
  const held = { state: "CREATING" as const, currentOperation: stored.value.name };
  await store.environments.create(anEnvironment("dev", held));
  const journal = new OperationJournal(store, stored);
  const step = "create_namespace";
  journal.defer(noteOfEnd({ step, state: "SUCCEEDED", output: null, time: clock.now() }));
  const tools = { store, clock, definition: DEFINITIONS["environment.create"] };
  await endOperation(tools, journal, { state: "SUCCEEDED", error: null, stuck: [] });
  const reasons = (await store.events.read(0, 10)).map(({ reason }) => reason);
  assert.deepEqual(reasons, ["StepSucceeded", "Ready", "OperationSucceeded"]);
});
