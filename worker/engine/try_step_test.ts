/** One attempt of a step: when it begins, when it is the last, and what an undo may do. */
import assert from "node:assert/strict";
import { madeMetadata, type Operation, uncheckedError } from "@mpc/domain";
import type { Ids } from "@mpc/services";
import { newStepRecord, requestCancel, type Step, type StepContext } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { anOperation } from "../../tests/fakes/documents.ts";
import { FakeClock, settle } from "../../tests/fakes/fake_clock.ts";
import { OperationJournal } from "./operation_journal.ts";
import { TimeLimits } from "./time_limits.ts";
import { tryStep } from "./try_step.ts";

const NAME = "operations/op";
const BUDGET_MS = 60_000;
const PAUSE_MS = 1_000;
const ATTEMPT_MS = 10_000;
const HOUR = 3_600_000;

const BEGUN = { ...newStepRecord("step"), state: "RUNNING" as const };

/** Makes each pause as long as possible. */
const IDS: Ids = { uuid: () => crypto.randomUUID(), random: () => 1 - Number.EPSILON };

const failing = (code: "UNAVAILABLE" | "FAILED_PRECONDITION") => () =>
  Promise.reject(uncheckedError(code, "INJECTED", { message: "an injected fault" }));

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

type Body = (signal: AbortSignal, context: StepContext) => Promise<void>;

interface Options {
  readonly run?: Body;
  readonly undo?: Body;
  readonly maxAttempts?: number;
  readonly operation?: Partial<Operation>;
}

/** An operation of one step; each call of `once` makes one attempt. */
async function world(options: Options) {
  const { run = () => Promise.resolve(), maxAttempts = 10, operation } = options;
  const clock = new FakeClock();
  const store = openMemoryStore();
  let bodies = 0;
  const counted = (body: Body) => (context: StepContext) => {
    bodies++;
    return body(context.signal, context);
  };
  const { undo } = options;
  const step: Step<Operation["input"]> = {
    name: "step",
    run: counted(run),
    ...(undo && { undo: counted(undo) }),
    onCancel: "undo",
    retry: { maxAttempts, initialBackoffMs: PAUSE_MS, maxBackoffMs: PAUSE_MS, budgetMs: BUDGET_MS },
    attemptTimeoutMs: ATTEMPT_MS,
  };
  const stored = await store.operations.create(anOperation("op", {
    createTime: clock.now(),
    updateTime: clock.now(),
    deadline: clock.now() + BUDGET_MS,
    steps: [newStepRecord("step")],
    ...operation,
  }));
  const cancel = new AbortController();
  const journal = new OperationJournal(store, stored, () => cancel.abort());
  const provider = new SimulatedProvider({ clock, delays: NO_DELAYS, statePath: null });
  const limits = new TimeLimits(clock);
  const once = (undo = false) =>
    tryStep({
      ...{ store, clock, provider, journal, limits, step, undo, ids: IDS },
      cancel: cancel.signal,
      stop: new AbortController().signal,
    });
  const attempts = () => journal.operation.steps[0]!.attempts.length;
  return { clock, store, once, attempts, bodies: () => bodies, operation: () => journal.operation };
}

const mark = ({ store }: { readonly store: Store }) =>
  requestCancel(
    store,
    NAME,
    { actor: "ann", reason: "tested", time: 0 },
    new AbortController().signal,
  );

Deno.test("the number of attempts of the policy is the limit", async () => {
  const { once, bodies } = await world({ run: failing("UNAVAILABLE"), maxAttempts: 3 });
  assert.equal((await once()).status, "retry");
  assert.equal((await once()).status, "retry");
  assert.equal((await once()).status, "failed");
  assert.equal((await once()).status, "failed", "the journal has it");
  assert.equal(bodies(), 3);
});

Deno.test("a failure that is not retryable is final", async () => {
  const { once, bodies } = await world({ run: failing("FAILED_PRECONDITION") });
  assert.equal((await once()).status, "failed");
  assert.equal(bodies(), 1);
});

Deno.test("an attempt is retried only if its time is before the operation's deadline", async () => {
  for (const [leftMs, status] of [[PAUSE_MS, "failed"], [PAUSE_MS + 1, "retry"]] as const) {
    const deadline = new FakeClock().now() + leftMs;
    const { once } = await world({ run: failing("UNAVAILABLE"), operation: { deadline } });
    assert.equal((await once()).status, status, `with ${leftMs} ms left`);
  }
});

for (const [what, ms] of [["back", -HOUR], ["forward", HOUR]] as const) {
  for (const [whose, limitMs] of [["step", BUDGET_MS], ["operation", BUDGET_MS / 2]] as const) {
    Deno.test(`the ${whose}'s time is no less and no more where the clock is set ${what}`, async () => {
      const deadline = new FakeClock().now() + (whose === "step" ? 10 * HOUR : limitMs);
      const { clock, once } = await world({
        run: failing("UNAVAILABLE"),
        maxAttempts: 1_000,
        operation: { deadline },
      });
      assert.equal((await once()).status, "retry");
      clock.step(ms);
      await clock.advance(limitMs - 2 * PAUSE_MS);
      assert.equal((await once()).status, "retry", "nothing is lost");
      clock.step(ms);
      await clock.advance(PAUSE_MS);
      assert.equal((await once()).status, "failed", "nothing is gained");
    });
  }

  Deno.test(`a try fails at its time limit where the clock is set ${what} meanwhile`, async () => {
    const { clock, once } = await world({ run: untilAborted });
    let ended = false;
    const tried = once().finally(() => ended = true);
    await settle();
    clock.step(ms);
    await clock.advance(ATTEMPT_MS - 1);
    assert.ok(!ended, "it has its whole time");
    await clock.advance(1);
    const result = await tried;
    assert.equal(result.status === "retry" && result.error.reason, "ATTEMPT_TIMED_OUT");
  });
}

/** A cluster that does not answer. */
const away = () =>
  Promise.reject(uncheckedError("UNAVAILABLE", "CLUSTER_UNREACHABLE", {
    message: "Cannot apply it: no answer",
    metadata: { cluster: "east" },
  }));

for (const undo of [false, true]) {
  const what = undo ? "undo" : "step";
  Deno.test(`a ${what} waits for a cluster that is away, for as long as it has time, as one attempt`, async () => {
    const { clock, once, attempts, bodies, operation } = await world({
      run: away,
      undo: away,
      maxAttempts: 2,
      ...(undo && { operation: { steps: [BEGUN] } }),
    });
    const end = clock.now() + BUDGET_MS;
    let tried = await once(undo);
    const before = attempts();
    for (; tried.status === "retry"; tried = await once(undo)) {
      assert.equal(attempts(), before, "no attempt is used up");
      await clock.advance(tried.pauseMs);
    }
    assert.equal(tried.status, "failed");
    assert.ok(bodies() > 5, `it looked ${bodies()} times`);
    assert.ok(end - clock.now() <= 1_000 && clock.now() <= end, "it used its time");
    const { message, reason } = operation().steps[0]!.attempts.at(-1)!.error!;
    assert.equal(reason, "CLUSTER_UNREACHABLE");
    assert.match(
      message,
      /failed, because cluster 'east' has not answered since \S+Z: Cannot apply/,
    );
  });
}

Deno.test("failures count on both sides of an outage, and the wait is the step's progress", async () => {
  const bodies: Body[] = [failing("UNAVAILABLE"), away, away, failing("UNAVAILABLE")];
  const { clock, once, operation } = await world({
    run: (signal, context) => bodies.shift()!(signal, context),
    maxAttempts: 2,
  });
  const since = clock.now();
  assert.equal((await once()).status, "retry");
  const tried = await once();
  assert.equal(tried.status, "retry");
  const [step] = operation().steps;
  const at = (ms: number) => new Date(ms).toISOString();
  assert.equal(
    step?.progress,
    `cluster 'east' has not answered since ${at(since)}; it is tried again at ${
      at(step!.attempts.at(-1)!.nextRetryTime!)
    }, and the operation goes on by itself until ${at(since + BUDGET_MS)}`,
  );
  assert.equal((await once()).status, "retry");
  assert.equal((await once()).status, "failed", "the second failure is the last");
  assert.equal(operation().steps[0]?.progress, "", "the outage was over");
});

Deno.test("an undo knows what failed attempts have made, unless one of them does not say", async () => {
  const failed = (made?: readonly string[]) =>
    uncheckedError("UNAVAILABLE", "INJECTED", {
      message: "an injected fault",
      metadata: made ? madeMetadata(made) : {},
    });
  for (
    const [what, errors, expected] of [
      ["nothing", [failed([]), failed([])], []],
      ["all of them", [failed(["A/x"]), failed(["B/x", "A/x"])], ["A/x", "B/x"]],
      ["unknown", [failed(["A/x"]), failed()], null],
    ] as const
  ) {
    const left = [...errors];
    let made: readonly string[] | null | undefined;
    const { once } = await world({
      run: () => Promise.reject(left.shift()),
      undo: (_signal, context) => {
        made = context.made;
        return Promise.resolve();
      },
      maxAttempts: errors.length,
    });
    while ((await once()).status === "retry");
    await once(true);
    assert.deepEqual(made, expected, what);
  }
});

Deno.test("an undo has its own time limit, even after the operation's deadline", async () => {
  const deadline = new FakeClock().now() - 1;
  const { once } = await world({
    undo: failing("UNAVAILABLE"),
    operation: { deadline, steps: [BEGUN] },
  });
  assert.equal((await once(true)).status, "retry");
});

Deno.test("a cancellation that arrives before a step begins skips it", async () => {
  const cancelled = { cancellation: { actor: "ann", reason: "tested", time: 0 } };
  const { once, bodies, attempts } = await world({ operation: cancelled });
  assert.deepEqual(await once(), { status: "skipped" });
  assert.deepEqual([bodies(), attempts()], [0, 0]);
});

Deno.test("a cancellation that the write of the step's start finds skips the step", async () => {
  const tried = await world({});
  await mark(tried);
  assert.deepEqual(await tried.once(), { status: "skipped" });
  assert.deepEqual([tried.bodies(), tried.attempts()], [0, 0]);
});

Deno.test("an undo of a cancelled operation runs, and its signal is not aborted", async () => {
  let heard = true;
  const cancellation = { actor: "ann", reason: "tested", time: 0 };
  const { once } = await world({
    operation: { cancellation, steps: [BEGUN] },
    undo: (signal) => {
      heard = signal.aborted;
      return Promise.resolve();
    },
  });
  assert.equal((await once(true)).status, "succeeded");
  assert.equal(heard, false);
});

Deno.test("the undo of a step that never began does nothing", async () => {
  const { once, bodies, attempts } = await world({ undo: () => Promise.resolve() });
  assert.deepEqual(await once(true), { status: "skipped" });
  assert.deepEqual([bodies(), attempts()], [0, 0]);
});

Deno.test("a step that the journal has settled is not run again", async () => {
  const steps = [{ ...newStepRecord("step"), state: "SUCCEEDED" as const }];
  const { once, bodies } = await world({ operation: { steps } });
  assert.deepEqual(await once(), { status: "succeeded", end: null });
  assert.equal(bodies(), 0);
});

Deno.test("no step of an operation that has ended is run", async () => {
  const { once, bodies } = await world({ operation: { state: "FAILED" } });
  assert.deepEqual(await once(), { status: "ended" });
  assert.equal(bodies(), 0);
});
