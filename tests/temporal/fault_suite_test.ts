/**
 * Parity: every step of every operation kind, failed in every way, on both engines. Temporal must
 * give the same results, and the event logs must be equal except for times and ids.
 */
import assert from "node:assert/strict";
import type { Event } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";
import { SCENARIOS } from "../fakes/scenarios.ts";
import type { PlatformOptions } from "../fakes/platform.ts";
import { TemporalEngines } from "../fakes/temporal_engines.ts";
import { FAULTS } from "../faults/fault_cases.ts";
import { runCancelledBeforeStart, runFaultCase } from "../faults/run_fault_case.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import { comparableLog } from "./event_log.ts";

const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
const engines = await TemporalEngines.start(server);

Deno.test.afterAll(async () => {
  await engines.close();
  await server.stop();
});

async function assertParity(
  run: (options?: PlatformOptions) => Promise<readonly Event[]>,
): Promise<void> {
  const onTemporal = await run({ engine: engines.newEngine });
  const embedded = await run();
  assert.deepEqual(comparableLog(onTemporal), comparableLog(embedded));
}

for (const scenario of SCENARIOS) {
  Deno.test({
    name: `parity: ${scenario.title}: cancelled before its first step`,
    ...NO_SANITIZERS,
    fn: () => assertParity((options) => runCancelledBeforeStart(scenario, options)),
  });

  const definition = DEFINITIONS[scenario.kind];
  for (const [index, step] of definition.steps.entries()) {
    Deno.test({
      name: `parity: ${scenario.title}: step '${step.name}'`,
      ...NO_SANITIZERS,
      async fn(t) {
        const cases = FAULTS.filter(({ applies }) => applies?.(definition, index) !== false);
        await Promise.all(cases.map((faultCase) =>
          t.step({
            name: faultCase.title,
            ...NO_SANITIZERS,
            sanitizeExit: false,
            fn: () => assertParity((options) => runFaultCase(scenario, index, faultCase, options)),
          })
        ));
      },
    });
  }
}
