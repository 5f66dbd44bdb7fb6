import assert from "node:assert/strict";
import type { Event, Operation } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";
import { carryOut } from "../fakes/carry_out.ts";
import { type Fault, faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { Platform, type PlatformOptions } from "../fakes/platform.ts";
import type { Scenario } from "../fakes/scenarios.ts";
import type { FaultCase } from "./fault_cases.ts";
import { leftBehindBy } from "./left_behind.ts";
import { crashed, mark, type Trial } from "./trial.ts";

/** Runs one case from the beginning to its repair. @returns all events */
export async function runFaultCase(
  scenario: Scenario,
  index: number,
  faultCase: FaultCase,
  options: PlatformOptions = {},
): Promise<readonly Event[]> {
  const definition = DEFINITIONS[scenario.kind];
  const stepName = definition.steps[index]!.name;
  const platform = await Platform.start(options);
  try {
    await scenario.prepare(platform);
    let name = "";
    const trial: Trial = { platform, scenario, operation: () => name, stepName };
    const fault: Fault = { kind: scenario.kind, step: stepName, ...faultCase.fault(trial) };
    const { definitions, reached } = faultyDefinitions([fault]);
    await platform.crash();
    platform.definitions = definitions;
    await platform.restart();
    const result = await scenario.request(platform);
    name = result.operation!.value.name;
    await platform.settle();
    if (faultCase.crashes) {
      assert.ok(crashed.has(platform), "the crash came");
      await crashed.get(platform);
      await platform.restart();
      await platform.settle();
      // The pass of the restart may have come before or after the operation's last steps.
      await platform.janitor().pass();
    }
    const operation = await platform.operation(name);
    assert.ok(reached(fault) > 0, `step '${stepName}' was reached`);
    const expected = faultCase.expected(definition, index);
    assert.equal(operation.state, expected, operation.error?.message ?? "it had no error");
    assertTold(operation);
    faultCase.check?.(operation, stepName);
    const attention = operation.state === "NEEDS_ATTENTION";
    await platform.assertSound(leftBehindBy([operation]));
    if (attention) await assertRemedies(platform, operation);
    else await assertRepairable(platform, scenario, operation);
    return await platform.events();
  } finally {
    await platform.close();
  }
}

/** Asserts that the command in a residue removes it. */
async function assertRemedies(platform: Platform, operation: Operation): Promise<void> {
  await platform.crash();
  platform.definitions = DEFINITIONS;
  await platform.restart();
  for (const { remedy } of operation.residue) {
    const { state, error } = await platform.ended(await carryOut(platform, remedy));
    assert.equal(state, "SUCCEEDED", `'${remedy}': ${error?.message}`);
  }
  await platform.assertSound();
}

/** Asserts that the record says why the operation ended. */
function assertTold(operation: Operation): void {
  const { state, error, residue, cancellation, endTime } = operation;
  assert.notEqual(endTime, null, "an ended operation has an end time");
  if (state === "FAILED" || state === "NEEDS_ATTENTION") assert.ok(error, "a failure has a reason");
  if (state === "NEEDS_ATTENTION") {
    assert.ok(residue.length > 0, "what is left behind is listed");
    assert.ok(residue.every(({ remedy }) => remedy.startsWith("mpctl ")), "with its remedy");
  }
  if (state === "CANCELLED") assert.ok(cancellation, "a cancellation names its requester");
}

/** Asserts that nothing is stuck: the same change succeeds when it is requested again. */
async function assertRepairable(
  platform: Platform,
  scenario: Scenario,
  operation: Operation,
): Promise<void> {
  if (operation.state === "SUCCEEDED") return;
  await platform.crash();
  platform.definitions = DEFINITIONS;
  await platform.restart();
  const again = await platform.ended(await scenario.request(platform));
  assert.equal(again.state, "SUCCEEDED", `requested again: ${again.error?.message}`);
  await platform.assertSound(leftBehindBy([again]));
}

/** Cancels an operation before an engine has seen it. @returns all events */
export async function runCancelledBeforeStart(
  scenario: Scenario,
  options: PlatformOptions = {},
): Promise<readonly Event[]> {
  const platform = await Platform.start(options);
  try {
    await scenario.prepare(platform);
    // No engine is there to start it when it is admitted and cancelled.
    await platform.crash();
    const { operation } = await scenario.request(platform);
    const name = operation!.value.name;
    await mark({ platform, scenario, operation: () => name, stepName: "" });
    await platform.restart();
    await platform.settle();
    const ended = await platform.operation(name);
    assert.equal(ended.state, "CANCELLED");
    assert.ok(ended.steps.every(({ attempts }) => attempts.length === 0), "no step has begun");
    await platform.assertSound(leftBehindBy([ended]));
    await assertRepairable(platform, scenario, ended);
    return await platform.events();
  } finally {
    await platform.close();
  }
}
