import assert from "node:assert/strict";
import { type JsonObject, MpcError, redactSpec } from "@mpc/domain";
import { aSpec } from "../../tests/fakes/documents.ts";
import { keepRedacted } from "./keep_redacted.ts";

const chartSpec = (values: JsonObject) =>
  aSpec({ image: "", chart: { name: "web", version: "1.0.0", values } });

Deno.test("keepRedacted() restores every redacted value", () => {
  const current = chartSpec({ db: { user: "ann", ports: [1, { key: "k" }] }, debug: true });
  assert.deepEqual(keepRedacted("x", redactSpec(current), current), current);
  const env = aSpec({ env: { A: "1", B: "2" } });
  assert.deepEqual(keepRedacted("x", redactSpec(env), env), env);
});

Deno.test("keepRedacted() keeps new values", () => {
  const current = chartSpec({ a: "old", b: [1, 2] });
  const wanted = chartSpec({ a: "new", b: ["(redacted)"], c: { d: null } });
  const kept = keepRedacted("x", wanted, current);
  assert.deepEqual(kept.chart?.values, { a: "new", b: [1], c: { d: null } });
});

Deno.test("keepRedacted() names everything that it cannot restore", () => {
  const current = chartSpec({ a: { b: 1 } });
  const wanted = {
    ...chartSpec({ a: "(redacted)", list: ["(redacted)"], constructor: "(redacted)" }),
    env: { KEY: "(redacted)" },
  };
  assert.throws(() => keepRedacted("x", wanted, current), (error) => {
    assert.ok(error instanceof MpcError);
    assert.deepEqual(error.violations.map(({ field, rule }) => [field, rule]), [
      ["workload.spec.env[KEY]", "REDACTED"],
      ["workload.spec.chart.values[a]", "REDACTED"],
      ["workload.spec.chart.values[list][0]", "REDACTED"],
      ["workload.spec.chart.values[constructor]", "REDACTED"],
    ]);
    return true;
  });
});
