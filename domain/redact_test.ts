import assert from "node:assert/strict";
import { redactSpec } from "./redact.ts";
import { parseWorkloadSpec } from "./workload_schema.ts";

Deno.test("values of variables and of charts are redacted, their keys are not", () => {
  const env = { PASSWORD: "hunter2" };
  const spec = parseWorkloadSpec("x", { image: "nginx:1", env, envFrom: [{ secret: "keys" }] });
  const redacted = redactSpec(spec);
  assert.deepEqual(redacted, { ...spec, env: { PASSWORD: "(redacted)" } });
  const values = { db: { password: "hunter2", ports: [1, { key: "k" }] }, debug: true };
  const chart = parseWorkloadSpec("x", { chart: { name: "web", version: "1.0.0", values } });
  const hidden = "(redacted)";
  assert.deepEqual(redactSpec(chart).chart?.values, {
    db: { password: hidden, ports: [hidden, { key: hidden }] },
    debug: hidden,
  });
});
