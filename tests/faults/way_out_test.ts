/** If an engine ends an operation, every recommended command leads out of its state. */
import assert from "node:assert/strict";
import { type ErrorRecord, isTerminal, type Operation } from "@mpc/domain";
import { explainOperation, listLeftovers } from "@mpc/services";
import { DEFINITIONS } from "@mpc/services/sagas";
import { closeOperation } from "../../worker/engine/close_operation.ts";
import { carryOut } from "../fakes/carry_out.ts";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { type Scenario, SCENARIOS } from "../fakes/scenarios.ts";
import { leftBehindBy } from "./left_behind.ts";

const TERMINATED: ErrorRecord = {
  code: "ABORTED",
  reason: "WORKFLOW_TERMINATED",
  message: "Its workflow was terminated",
  retryable: false,
  metadata: {},
  causes: [],
};

type Advice = (platform: Platform, operation: Operation) => Promise<readonly string[]>;

/** The sources of recommendations. */
const ADVISERS: readonly (readonly [string, Advice])[] = [
  ["explain", async ({ deps, caller }, { name }) => {
    const { nextCommand } = await explainOperation(deps, caller, name);
    return [nextCommand];
  }],
  ["its residue", (_platform, { residue }) => Promise.resolve(residue.map(({ remedy }) => remedy))],
  ["the doctor", async (platform) => (await platform.findings()).map(({ remedy }) => remedy)],
];

for (const scenario of SCENARIOS) {
  Deno.test(`if its engine ends ${scenario.title}, every recommended command leads out`, async (t) => {
    for (const { name: step } of DEFINITIONS[scenario.kind].steps) {
      for (const when of ["before", "after"] as const) {
        for (const [adviser, advice] of ADVISERS) {
          await t.step(
            `${when} ${step} is done, by ${adviser}`,
            () => leadsOut(scenario, step, when, adviser, advice),
          );
        }
      }
    }
  });
}

async function leadsOut(
  scenario: Scenario,
  step: string,
  when: "before" | "after",
  adviser: string,
  advice: Advice,
): Promise<void> {
  let stuck = false;
  const { definitions } = faultyDefinitions([{
    kind: scenario.kind,
    step,
    run: async (run) => {
      if (when === "after") await run();
      stuck = true;
      return await hang();
    },
  }]);
  await withPlatform(async (platform) => {
    const { store, clock } = platform;
    await scenario.prepare(platform);
    await platform.crash();
    platform.definitions = definitions;
    await platform.restart();
    const { operation } = await scenario.request(platform);
    const name = operation!.value.name;
    while (!stuck) await clock.advance(100);
    await platform.crash();
    await closeOperation({ store, clock }, name, TERMINATED);
    platform.definitions = DEFINITIONS;
    await platform.restart();
    const ended = await platform.operation(name);
    assert.ok(isTerminal(ended.state));
    const { summary } = await explainOperation(platform.deps, platform.caller, name);
    assert.match(
      summary,
      ended.state === "FAILED" ? /failed at step '\w+'/ : /its steps were not undone/,
    );
    const commands = new Set(await advice(platform, ended));
    // A failed operation without leftovers has no residue, and the doctor finds nothing.
    const advises = adviser === "explain" || ended.state === "NEEDS_ATTENTION";
    assert.ok(!advises || commands.size > 0, "it recommends a command");
    for (const command of commands) {
      // mpctl then says that there is nothing to sweep.
      if (command === "mpctl doctor --sweep" && await nothingIsLeft(platform)) continue;
      const { state, error } = await platform.ended(await carryOut(platform, command));
      assert.equal(state, "SUCCEEDED", `'${command}': ${error?.message}`);
    }
    await platform.janitor().pass();
    await platform.assertSound(leftBehindBy(commands.size === 0 ? [ended] : []));
  });
}

async function nothingIsLeft({ deps, caller }: Platform): Promise<boolean> {
  return (await listLeftovers(deps, caller)).leftovers.length === 0;
}
