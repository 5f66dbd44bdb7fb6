import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { OPERATION_KINDS } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";
import { PASSES } from "./workflow_messages.ts";
import { stepListsOf, stepListsSource } from "./step_lists_source.ts";

const file = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

Deno.test("the generated step lists match the current definitions", async () => {
  const hint = "run `deno task bundle:workflows` and commit workflows/step_lists.ts";
  assert.equal(await file("./workflows/step_lists.ts"), stepListsSource(DEFINITIONS), hint);
});

Deno.test("a dead worker is noticed within ten seconds in every step, including steps that wait", () => {
  const steps = Object.values(stepListsOf(DEFINITIONS)).flat();
  assert.ok(steps.length > OPERATION_KINDS.length, "every kind has steps");
  for (const { name, heartbeatMs } of steps) {
    assert.ok(heartbeatMs <= 10_000, `${name} is noticed after ${heartbeatMs} ms`);
  }
});

Deno.test("every operation kind and every pass has a workflow type", async () => {
  const exported = [...(await file("./workflows/mod.ts")).matchAll(/ as "?([a-z._]+)"?,/g)];
  assert.deepEqual(exported.map(([, type]) => type), [...OPERATION_KINDS.toSorted(), ...PASSES]);
});
