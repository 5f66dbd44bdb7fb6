/**
 * Every step of every operation kind, failed in every way. The cases are derived from the step
 * lists, so a new kind is covered as soon as it is listed.
 */
import assert from "node:assert/strict";
import { OPERATION_KINDS } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";
import { SCENARIOS } from "../fakes/scenarios.ts";
import { FAULTS } from "./fault_cases.ts";
import { runCancelledBeforeStart, runFaultCase } from "./run_fault_case.ts";

Deno.test("every operation kind has a scenario", () => {
  const kinds = new Set(SCENARIOS.map(({ kind }) => kind));
  assert.deepEqual(OPERATION_KINDS.filter((kind) => !kinds.has(kind)), []);
});

for (const scenario of SCENARIOS) {
  Deno.test(`faults: ${scenario.title}: cancelled before its first step`, async () => {
    await runCancelledBeforeStart(scenario);
  });

  const definition = DEFINITIONS[scenario.kind];
  for (const [index, step] of definition.steps.entries()) {
    Deno.test(`faults: ${scenario.title}: step '${step.name}'`, async (t) => {
      for (const faultCase of FAULTS) {
        if (faultCase.applies?.(definition, index) === false) continue;
        await t.step(faultCase.title, async () => {
          await runFaultCase(scenario, index, faultCase);
        });
      }
    });
  }
}
