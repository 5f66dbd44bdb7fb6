import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { MpcError, recordError } from "@mpc/domain";
import { logLine } from "./log_line.ts";

const record = (message: readonly unknown[]): LogRecord => ({
  category: ["mpc", "temporal"],
  level: "warning",
  message,
  rawMessage: "",
  properties: {},
  timestamp: 0,
});

Deno.test("a log record is one line: errors with their causes, texts without quotes", () => {
  const error = recordError(
    new MpcError("UNAVAILABLE", {
      reason: "ENGINE_UNREACHABLE",
      message: "Cannot reach Temporal:\n  no answer",
      cause: new Error("connection refused"),
    }),
  );
  const line = logLine(record(["Cannot start ", "operations/1", ": ", error, ""]));
  assert.equal(
    line.replace(/^\S+ \S+ \S+ /, ""),
    "[WARNING] mpc·temporal: Cannot start operations/1: UNAVAILABLE ENGINE_UNREACHABLE: Cannot " +
      "reach Temporal: no answer; because INTERNAL UNEXPECTED: connection refused\n",
  );
});

Deno.test("a value with many parts stays on the line", () => {
  const many = Array.from({ length: 30 }, (_, index) => `part ${index}`);
  const line = logLine(record(["", { many, text: "a\nb" }, ""]));
  assert.equal(line.split("\n").length, 2);
});
