import assert from "node:assert/strict";
import { helmFailed } from "./helm_errors.ts";

const ref = { workload: "web", chart: "team/web" };

Deno.test("helmFailed() names every field that a schema rejects, without its value", () => {
  const stderr = "Error: values don't meet the specifications of the schema(s) in the following " +
    "chart(s):\nweb:\n- at '/db/port': got string, want integer\n" +
    "- at '/db/pin': 'ab' does not match pattern '^[0-9]+$'\n" +
    "- at '': additional properties 'foo' not allowed\n";
  const error = helmFailed(ref, stderr, { db: { port: "hunter2", pin: "ab" } });
  assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "CHART_VALUES_INVALID"]);
  assert.deepEqual(error.violations.map(({ field, hint }) => [field, hint]), [
    ["workload.spec.chart.values.db.port", "got string, want integer"],
    ["workload.spec.chart.values.db.pin", "does not match pattern '^[0-9]+$'"],
    ["workload.spec.chart.values", "additional properties 'foo' not allowed"],
  ]);
});

Deno.test("helmFailed() says why a template fails, without the values that it quotes", () => {
  const stderr =
    "Error: execution error at (web/templates/x.yaml:3:4): bad key hunter2 of 12345\n\n" +
    "Use --debug flag to render out invalid YAML\n";
  const error = helmFailed(ref, stderr, { key: "hunter2", list: [12345] });
  assert.deepEqual([error.code, error.reason], ["FAILED_PRECONDITION", "CHART_FAILED"]);
  assert.equal(
    error.message,
    "Cannot render 'web' of chart 'team/web': execution error at (web/templates/x.yaml:3:4): bad key (redacted) of (redacted)",
  );
  assert.equal(error.retryable, false);
});
