import assert from "node:assert/strict";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { Failures } from "./failures.ts";
import { sdkLogText } from "./install_runtime.ts";
import { Repetitions } from "./repetitions.ts";

Deno.test("a line of Temporal's library says what it is about, without arguments and results", () => {
  assert.equal(
    sdkLogText("Activity failed", {
      workflowId: "inst/op",
      activityType: "apply_policies",
      attempt: 3,
      error: new Error("no answer"),
      input: { secret: "hunter2" },
      durationMs: 12,
    }),
    "Activity failed (workflowId inst/op, activityType apply_policies, attempt 3, error no answer)",
  );
  assert.equal(sdkLogText("Worker state changed", { state: "RUNNING" }), "Worker state changed");
});

Deno.test("a line that repeats within a minute is counted, whatever its numbers", async () => {
  const clock = new FakeClock();
  const repetitions = new Repetitions(clock);
  assert.equal(repetitions.of("call retried 5 times"), 0);
  assert.equal(repetitions.of("call retried 6 times"), null);
  assert.equal(repetitions.of("another line"), 0);
  assert.equal(repetitions.of("call retried 7 times"), null);
  await clock.advance(60_000);
  assert.equal(repetitions.of("call retried 90 times"), 2);
  assert.equal(repetitions.of("call retried 91 times"), null);
});

Deno.test("of the library's native errors only the message is logged", () => {
  const error = `Status { code: Unavailable, message: "tcp connect error", source: Some(…) }`;
  assert.equal(sdkLogText("call retried", { error }), "call retried (error tcp connect error)");
});

Deno.test("of failures in a row the first of each reason is new, and their number is known", () => {
  const failures = new Failures();
  assert.deepEqual(["a", "a", "b", "b"].map((reason) => failures.add(reason)), [
    true,
    false,
    true,
    false,
  ]);
  assert.equal(failures.end(), 4);
  assert.equal(failures.end(), 0);
  assert.equal(failures.add("b"), true);
});
