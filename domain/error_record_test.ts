import assert from "node:assert/strict";
import { errorFromRecord, recordError } from "./error_record.ts";
import { MpcError, uncheckedError } from "./errors.ts";

Deno.test("recordError() records a cause chain from the outside in, and errorFromRecord() restores it", () => {
  const root = new Error("disk gone");
  const middle = new MpcError("UNAVAILABLE", {
    reason: "NO_WORKER",
    message: "no answer",
    cause: root,
  });
  const top = new MpcError("ABORTED", {
    reason: "PLAN_OUTDATED",
    message: "lost it",
    metadata: { pod: "web-1" },
    cause: middle,
  });
  const record = recordError(top);
  assert.deepEqual([record.code, record.reason, record.retryable], [
    "ABORTED",
    "PLAN_OUTDATED",
    true,
  ]);
  assert.deepEqual(record.metadata, { pod: "web-1" });
  assert.deepEqual(record.causes, [
    { code: "UNAVAILABLE", reason: "NO_WORKER", message: "no answer" },
    { code: "INTERNAL", reason: "UNEXPECTED", message: "disk gone" },
  ]);
  const again = errorFromRecord(record);
  assert.deepEqual(recordError(again), record);
});

Deno.test("recordError() makes an unexpected error permanent", () => {
  for (const thrown of [new TypeError("x is not a function"), "text", undefined, null]) {
    const record = recordError(thrown);
    assert.deepEqual([record.code, record.retryable], ["INTERNAL", false]);
  }
});

Deno.test("recordError() limits the length of messages and chains", () => {
  let error = new Error("x".repeat(10_000));
  for (let depth = 0; depth < 50; depth++) error = new Error("outer", { cause: error });
  const record = recordError(error);
  assert.ok(record.causes.length <= 8);
  assert.ok(recordError(new Error("x".repeat(10_000))).message.length < 2_100);
});

Deno.test("the code says whether an error is retryable, unless the error overrides it", () => {
  const error = (code: "UNAVAILABLE" | "NOT_FOUND", retryable?: boolean) =>
    uncheckedError(code, "R", {
      message: "m",
      ...(retryable !== undefined && { retryable }),
    });
  assert.equal(error("UNAVAILABLE").retryable, true);
  assert.equal(error("NOT_FOUND").retryable, false);
  assert.equal(error("UNAVAILABLE", false).retryable, false);
});
