import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Operation, OperationSchema, OperationState, RetryInfoSchema } from "@mpc/proto";
import { broken, fakeTiming, scriptedServer, sent } from "@mpc/tests/fakes/scripted_server.ts";
import { followOperation, waitForOperation } from "./follow_operation.ts";

const NAME = "operations/01a2100d-1d1b-727a-b0bd-28f5ad1710cf";
const at = (state: OperationState, done = false): Operation =>
  create(OperationSchema, { name: NAME, state, done });
const PENDING = at(OperationState.PENDING);
const RUNNING = at(OperationState.RUNNING);
const SUCCEEDED = at(OperationState.SUCCEEDED, true);

const statesOf = async (operations: AsyncIterable<Operation>): Promise<readonly string[]> =>
  (await Array.fromAsync(operations)).map(({ state }) => OperationState[state]);

Deno.test("followOperation() yields each state once across broken streams", async () => {
  const timing = fakeTiming();
  const { connection } = scriptedServer({
    operation: [[PENDING, RUNNING, broken()], [broken()], [RUNNING], [RUNNING, SUCCEEDED]],
  });
  const lost: string[] = [];
  const options = {
    timing,
    onLost: (error: ConnectError) => lost.push(error.rawMessage),
    onFound: () => lost.push("found"),
  };
  const states = await statesOf(followOperation(connection, PENDING, options));
  assert.deepEqual(states, ["PENDING", "RUNNING", "SUCCEEDED"]);
  assert.deepEqual(timing.pauses, [200, 400, 800], "pauses grow while no new state arrives");
  assert.deepEqual(lost.filter((what) => what === "found").length, 2);
  assert.equal(lost.length, 4, "each loss is reported once, not each attempt");
});

Deno.test("followOperation() yields an operation that has ended, and makes no call", async () => {
  const { connection } = scriptedServer({});
  assert.deepEqual(await statesOf(followOperation(connection, SUCCEEDED)), ["SUCCEEDED"]);
});

Deno.test("followOperation() gives up if the server is unreachable for too long", async () => {
  const timing = fakeTiming();
  const { connection } = scriptedServer({ operation: [[RUNNING, broken()]] });
  const options = { timing, giveUpAfterMs: 10_000 };
  await assert.rejects(statesOf(followOperation(connection, PENDING, options)), ConnectError);
  assert.equal(timing.now(), 10_000, "neither earlier nor later");
  assert.ok(Math.max(...timing.pauses) <= 5_000);
});

Deno.test("followOperation() waits as long as the API asks for", async () => {
  const timing = fakeTiming();
  const limited = sent(Code.ResourceExhausted, "RATE_LIMITED");
  limited.details.push({ desc: RetryInfoSchema, value: { retryDelay: { seconds: 3n, nanos: 0 } } });
  const { connection } = scriptedServer({ operation: [[limited], [SUCCEEDED]] });
  assert.deepEqual(await statesOf(followOperation(connection, RUNNING, { timing })), [
    "RUNNING",
    "SUCCEEDED",
  ]);
  assert.deepEqual(timing.pauses, [3_000]);
});

Deno.test("followOperation() does not repeat an invalid call", async () => {
  const timing = fakeTiming();
  for (
    const [code, reason] of [
      [Code.NotFound, "OPERATION_NOT_FOUND"],
      [Code.InvalidArgument, "INVALID_FIELDS"],
      [Code.Internal, "INTERNAL"],
    ] as const
  ) {
    const { connection } = scriptedServer({ operation: [[sent(code, reason)], [SUCCEEDED]] });
    const following = statesOf(followOperation(connection, RUNNING, { timing }));
    await assert.rejects(following, { code }, reason);
  }
  assert.deepEqual(timing.pauses, []);
});

Deno.test("followOperation() by name reports a server that was never reachable at once", async () => {
  const timing = fakeTiming();
  const { connection } = scriptedServer({ operation: [[broken()], [SUCCEEDED]] });
  await assert.rejects(waitForOperation(connection, NAME, { timing }), ConnectError);
  assert.deepEqual(timing.pauses, []);
});

Deno.test("followOperation() ends when it is aborted during a pause", async () => {
  const abort = new AbortController();
  const timing = fakeTiming();
  const pause = () => {
    abort.abort();
    return Promise.resolve();
  };
  const { connection } = scriptedServer({ operation: [[RUNNING, broken()], [SUCCEEDED]] });
  const options = { signal: abort.signal, timing: { ...timing, pause } };
  await assert.rejects(statesOf(followOperation(connection, PENDING, options)), ConnectError);
});

Deno.test("waitForOperation() returns the operation as it ended", async () => {
  const { connection } = scriptedServer({ operation: [[PENDING, RUNNING, SUCCEEDED]] });
  assert.deepEqual(await waitForOperation(connection, NAME), SUCCEEDED);
});

Deno.test("followOperation() aborts its stream when the reader stops", async () => {
  const { connection, signals } = scriptedServer({ operation: [[PENDING, RUNNING, SUCCEEDED]] });
  for await (const { state } of followOperation(connection, NAME)) {
    if (state === OperationState.RUNNING) break;
  }
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true]);
});
