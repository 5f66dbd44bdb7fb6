import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { MpcError, recordError } from "@mpc/domain";
import { jsonLine, prettyLine } from "./format_line.ts";

const record = (rawMessage: string, properties: Record<string, unknown>): LogRecord => ({
  category: ["mpc", "temporal"],
  level: "warning",
  message: [],
  rawMessage,
  properties,
  timestamp: 0,
});

const unreachable = recordError(
  new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: "Cannot reach Temporal:\n  no answer",
    cause: new Error("connection refused"),
  }),
);

const pretty = prettyLine({ color: false });

/** What attackers put into names and messages to forge lines, or to act on a terminal. */
const INJECTIONS = [
  'x\n{"level":"error","message":"forged"}',
  "x\r\x1b[2J\x1b]0;title\x07",
  "x\u009b31m\u0085\u2028\u202e",
  '"},"level":"error"',
  "\ud800",
];

Deno.test("jsonLine() writes time, level, category, message and fields as one object", () => {
  const line = jsonLine(record("Cannot start {operation}: {error}", {
    operation: "operations/1",
    error: unreachable,
  }));
  assert.ok(line.endsWith("}\n"));
  assert.deepEqual(JSON.parse(line), {
    time: "1970-01-01T00:00:00.000Z",
    level: "warning",
    category: "temporal",
    message: "Cannot start operations/1: UNAVAILABLE ENGINE_UNREACHABLE: Cannot reach " +
      "Temporal:\n  no answer; because INTERNAL UNEXPECTED: connection refused",
    operation: "operations/1",
    error: {
      code: "UNAVAILABLE",
      reason: "ENGINE_UNREACHABLE",
      message: "Cannot reach Temporal:\n  no answer",
      causes: [{ code: "INTERNAL", reason: "UNEXPECTED", message: "connection refused" }],
    },
  });
});

Deno.test("a value that the schema of lines does not have is not written", () => {
  const secret = "hunter2";
  const properties = {
    password: secret,
    text: { password: secret },
    name: [secret, { secret }],
    toString: secret,
  };
  for (const format of [jsonLine, pretty]) {
    const line = format(record("{password} {text} {name} {toString}", properties));
    assert.doesNotMatch(line, /hunter2/);
    assert.match(line, /\(redacted\) \(redacted\) \(redacted\) \(redacted\)/);
  }
});

Deno.test("names and messages cannot forge a line, and cannot act on a terminal", () => {
  for (const injection of INJECTIONS) {
    const error = new Error(injection);
    const forged = record("{name}: {error}", { name: injection, error, resource: injection });
    for (const format of [jsonLine, pretty]) {
      const line = format(forged);
      assert.equal(line.split("\n").length, 2, line);
      assert.doesNotMatch(line.trimEnd(), /[\p{Cc}\u2028\u202e]/u);
    }
    const { level, name } = JSON.parse(jsonLine(forged));
    assert.equal(level, "warning");
    assert.equal(name, injection, "the value itself is kept");
  }
});

Deno.test("long values are cut, so that a line stays short", () => {
  const line = jsonLine(record("{text}", { text: "x".repeat(1_000_000) }));
  assert.ok(line.length < 5_000, `${line.length} characters`);
});

Deno.test("a pretty line has the fields that its message does not have", () => {
  assert.equal(
    pretty(record("{method} {code}", { method: "A/B", code: "OK", principal: "ann b" })),
    '00:00:00.000 WARNING temporal A/B OK principal="ann b"\n',
  );
});
