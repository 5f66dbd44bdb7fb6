/** The activities alone, in Temporal's mock of a worker. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { newStepRecord, type Step } from "@mpc/services/sagas";
import { type Definition, DEFINITIONS } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { StepActivities } from "@mpc/worker/temporal";
import { ApplicationFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { StepSlots } from "../../worker/engine/temporal/step_slots.ts";
import { type StepResult, undoActivity } from "../../worker/engine/temporal/workflow_messages.ts";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { permanent, transient } from "../fakes/faulty_definitions.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";

const NAME = "operations/00000000-0000-7000-8000-000000000001";

type Run = Step<never>["run"];

/** An operation with one step, whose behaviour the test decides. */
async function world(run: Run) {
  const clock = new FakeClock();
  const store = openMemoryStore();
  const create = DEFINITIONS["environment.create"];
  const step = { ...create.steps[0]!, run };
  const definitions = {
    ...DEFINITIONS,
    "environment.create": { ...create, steps: [step] } as Definition,
  };
  const now = clock.now();
  await store.operations.create(anOperation(NAME.slice("operations/".length), {
    steps: [newStepRecord(step.name)],
    createTime: now,
    deadline: now + 600_000,
  }));
  await store.environments.create(
    anEnvironment("dev", { state: "CREATING", currentOperation: NAME }),
  );
  const ids = new SeededIds();
  const activities = new StepActivities({
    store,
    clock,
    ids,
    definitions,
    provider: null as never,
  });
  const environment = new MockActivityEnvironment({}, {
    logger: new DefaultLogger("ERROR"),
  });
  const call = (type: string, task: object): Promise<StepResult> => {
    const activity = activities.functions()[type] as (task: object) => Promise<StepResult>;
    return environment.run<[object], StepResult, typeof activity>(
      activity,
      { operation: NAME, ends: [], ...task },
    );
  };
  const operation = async () => (await store.operations.get(NAME))!.value;
  return { clock, store, activities, environment, call, operation, step: step.name };
}

async function failureOf(call: Promise<unknown>): Promise<ApplicationFailure> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApplicationFailure, String(error));
    return error;
  }
  assert.fail("the activity should fail");
}

Deno.test("a step's end is returned, and written with the next entry", async () => {
  const { call, operation, step } = await world(() => Promise.resolve({ pods: 2 }));
  const { status, ends } = await call(step, {});
  assert.equal(status, "succeeded");
  assert.equal((await operation()).steps[0]!.state, "RUNNING");
  await call("end_operation", { outcome: { state: "SUCCEEDED", error: null, stuck: [] }, ends });
  const { state, steps } = await operation();
  assert.deepEqual([state, steps[0]!.state, steps[0]!.output], [
    "SUCCEEDED",
    "SUCCEEDED",
    { pods: 2 },
  ]);
});

Deno.test("a permanent failure is journaled, has its code as its type, and is not retried", async () => {
  const { call, operation, step } = await world(() => Promise.reject(permanent()));
  const { type, nonRetryable, details } = await failureOf(call(step, {}));
  assert.deepEqual([type, nonRetryable], ["FAILED_PRECONDITION", true]);
  const [attempt] = (await operation()).steps[0]!.attempts;
  assert.deepEqual(details, [attempt!.error]);
});

Deno.test("a transient failure says when to retry, like the journal", async () => {
  const { call, clock, operation, step } = await world(() => Promise.reject(transient()));
  const { type, nonRetryable, nextRetryDelay } = await failureOf(call(step, {}));
  assert.deepEqual([type, nonRetryable], ["UNAVAILABLE", false]);
  const [attempt] = (await operation()).steps[0]!.attempts;
  assert.equal(attempt!.nextRetryTime, clock.now() + Number(nextRetryDelay));
});

Deno.test("a step that the journal has settled is not run again", async () => {
  let runs = 0;
  const { call, step } = await world(() => {
    runs++;
    return Promise.reject(permanent());
  });
  const first = await failureOf(call(step, {}));
  const second = await failureOf(call(step, {}));
  assert.equal(runs, 1);
  assert.deepEqual(second.details, first.details);
});

Deno.test("a heartbeat carries the step's detail, from which a later attempt continues", async () => {
  const seen: unknown[] = [];
  const { call, environment, step } = await world(({ lastHeartbeat, heartbeat }) => {
    seen.push(lastHeartbeat);
    heartbeat("half way", { at: 5 });
    return Promise.reject(transient());
  });
  const told: unknown[] = [];
  environment.on("heartbeat", (detail) => told.push(detail));
  await failureOf(call(step, {}));
  await failureOf(call(step, {}));
  assert.deepEqual(told, [{ at: 5 }, { at: 5 }]);
  assert.deepEqual(seen, [null, { at: 5 }]);
});

Deno.test("a cancellation by Temporal reaches the step", async () => {
  const { call, environment, step } = await world(({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
  );
  const called = call(step, {});
  await setImmediate();
  environment.cancel("CANCELLED", { cancelRequested: true } as never);
  assert.equal((await called).status, "cancelled");
});

Deno.test("a worker that stops returns the step, for another worker to run", async () => {
  const { call, activities, operation, step } = await world(() => new Promise(() => {}));
  const called = failureOf(call(step, {}));
  await setImmediate();
  activities.stop();
  const { type, nonRetryable } = await called;
  assert.deepEqual([type, nonRetryable], ["WORKER_STOPPED", false]);
  assert.equal(
    (await operation()).steps[0]!.attempts[0]!.endTime,
    null,
    "the attempt is left open",
  );
});

Deno.test("no activity of an operation that has ended runs its step", async () => {
  let runs = 0;
  const { call, step } = await world(() => Promise.resolve(void runs++));
  const outcome = { state: "FAILED", error: null, stuck: [] };
  await call("end_operation", { outcome });
  const { type, nonRetryable } = await failureOf(call(step, {}));
  assert.deepEqual([type, nonRetryable, runs], ["OPERATION_ENDED", true, 0]);
});

Deno.test("steps that wait and undos hold no slot of a worker, other steps do", async () => {
  const { activities } = await world(() => Promise.resolve({}));
  const isFreeDuring = (activityType: string) => {
    const slots = new StepSlots(1, (type) => activities.waits(type));
    const permit = slots.tryReserveSlot()!;
    const slotInfo = { type: "activity" as const, activityType, isSticky: false };
    slots.markSlotUsed({ slotInfo, permit } as Parameters<StepSlots["markSlotUsed"]>[0]);
    return slots.tryReserveSlot() !== null;
  };
  for (const { steps } of Object.values(DEFINITIONS)) {
    for (const { name } of steps) assert.ok(isFreeDuring(undoActivity(name)), `undo of ${name}`);
  }
  assert.ok(isFreeDuring("await_rollout"));
  assert.equal(isFreeDuring("apply_workload"), false);
});
