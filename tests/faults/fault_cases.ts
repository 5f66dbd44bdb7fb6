/** What can go wrong with a step, and what must then hold; on whatever engine. */
import assert from "node:assert/strict";
import { type Event, type Operation, type OperationState } from "@mpc/domain";
import {
  deleteEnvironment,
  deleteWorkload,
  type MutationResult,
  restartWorkload,
  retryOperation,
} from "@mpc/services";
import { type Definition, DEFINITIONS, requestCancel } from "@mpc/services/operations";
import {
  type Fault,
  faultyDefinitions,
  hang,
  permanent,
  transient,
} from "../fakes/faulty_definitions.ts";
import { Platform, type PlatformOptions } from "../fakes/platform.ts";
import type { Scenario } from "../fakes/scenarios.ts";

interface Trial {
  readonly platform: Platform;
  readonly scenario: Scenario;
  /** Name of the operation, once it is admitted. */
  readonly operation: () => string;
  readonly stepName: string;
}

/** One way in which a step fails. */
export interface FaultCase {
  readonly title: string;
  readonly fault: (trial: Trial) => Pick<Fault, "run" | "undo">;
  readonly expected: (definition: Definition, index: number) => OperationState;
  /** Only steps for which this makes sense. */
  readonly applies?: (definition: Definition, index: number) => boolean;
  readonly crashes?: true;
}

const succeeds = (): OperationState => "SUCCEEDED";
const fails = (): OperationState => "FAILED";
const cancels = (): OperationState => "CANCELLED";
const isUndoable = (definition: Definition, index: number) => !!definition.steps[index]?.undo;

/** Every way in which a step fails. */
export const FAULTS: readonly FaultCase[] = [
  {
    title: "fails for good",
    fault: () => ({ run: () => Promise.reject(permanent()) }),
    expected: fails,
  },
  {
    title: "fails twice, then works",
    fault: () => ({ run: (run, call) => call <= 2 ? Promise.reject(transient()) : run() }),
    expected: succeeds,
  },
  {
    title: "is done, but its answer is lost",
    fault: () => ({
      run: async (run, call) => {
        const output = await run();
        if (call === 1) throw transient();
        return output;
      },
    }),
    expected: succeeds,
  },
  {
    title: "fails again and again until its retries are used up",
    fault: () => ({ run: () => Promise.reject(transient()) }),
    expected: fails,
  },
  {
    title: "hangs past its timeout, then works",
    fault: () => ({ run: (run, call) => call === 1 ? hang() : run() }),
    // A wait has one long attempt: when it hangs, its budget is gone.
    expected: ({ steps }, index) =>
      steps[index]!.attemptTimeoutMs < steps[index]!.retry.budgetMs ? "SUCCEEDED" : "FAILED",
  },
  {
    title: "runs twice",
    fault: () => ({
      run: async (run) => {
        await run();
        return await run();
      },
    }),
    expected: succeeds,
  },
  {
    title: "is cancelled while it runs",
    fault: (trial) => ({
      run: async (run, _call, { signal }) => {
        await cancel(trial);
        signal.throwIfAborted();
        return await run();
      },
    }),
    expected: cancels,
  },
  {
    title: "is cancelled while it waits for its next try",
    fault: (trial) => ({
      run: async (_run, call) => {
        if (call === 2) await cancel(trial);
        throw transient();
      },
    }),
    expected: cancels,
  },
  {
    title: "is cancelled when it is done",
    fault: (trial) => ({
      run: async (run) => {
        const output = await run();
        await mark(trial);
        return output;
      },
    }),
    expected: ({ steps }, index) => index === steps.length - 1 ? "SUCCEEDED" : "CANCELLED",
  },
  {
    title: "crashes before it does anything",
    fault: ({ platform }) => ({
      run: (run, call) => call === 1 ? crash(platform) : run(),
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "crashes in the middle of it",
    fault: ({ platform }) => ({
      run: (run, call) => call === 1 ? Promise.race([crash(platform), run().then(hang)]) : run(),
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "crashes when it is done, before that is written",
    fault: ({ platform }) => ({
      run: async (run, call) => {
        const output = await run();
        if (call === 1) await crash(platform);
        return output;
      },
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "fails for good, and so does its undo",
    fault: () => ({
      run: () => Promise.reject(permanent()),
      undo: () => Promise.reject(permanent()),
    }),
    expected: () => "NEEDS_ATTENTION",
    applies: isUndoable,
  },
  {
    title: "is done and fails for good, its undo fails twice, then works",
    fault: () => ({
      run: async (run) => {
        await run();
        throw permanent();
      },
      undo: (undo, call) => call <= 2 ? Promise.reject(transient()) : undo(),
    }),
    expected: fails,
    applies: isUndoable,
  },
  {
    title: "fails for good, its undo runs twice",
    fault: () => ({
      run: async (run) => {
        await run();
        throw permanent();
      },
      undo: async (undo) => {
        await undo();
        await undo();
      },
    }),
    expected: fails,
    applies: isUndoable,
  },
  {
    title: "fails for good, and a crash comes in the middle of its undo",
    fault: ({ platform }) => ({
      run: () => Promise.reject(permanent()),
      undo: (undo, call) => call === 1 ? crash(platform) : undo(),
    }),
    expected: fails,
    applies: isUndoable,
    crashes: true,
  },
  {
    title: "fails for good, and its undo cannot be cancelled",
    fault: (trial) => ({
      run: () => Promise.reject(permanent()),
      undo: async (undo) => {
        await cancel(trial);
        await undo();
      },
    }),
    expected: fails,
    applies: isUndoable,
  },
];

/** Marks the operation as to be cancelled, as the API does. */
async function mark({ platform, operation }: Trial): Promise<void> {
  const { store, clock, caller } = platform;
  const cancellation = { actor: "ann", reason: "tested", time: clock.now() };
  await requestCancel(store, operation(), cancellation, caller.signal);
}

async function cancel(trial: Trial): Promise<void> {
  await mark(trial);
  await trial.platform.cancel(trial.operation());
}

/** Ends the process, for all that this step can tell. */
function crash(platform: Platform): Promise<never> {
  crashed.set(platform, platform.crash());
  return hang();
}

const crashed = new WeakMap<Platform, Promise<void>>();

/** Runs one case from the beginning to its repair. @returns all that was told */
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
    }
    const operation = await platform.operation(name);
    assert.ok(reached(fault) > 0, `step '${stepName}' was reached`);
    const expected = faultCase.expected(definition, index);
    assert.equal(operation.state, expected, operation.error?.message ?? "it had no error");
    assertTold(operation);
    const attention = operation.state === "NEEDS_ATTENTION";
    await platform.assertSound(
      attention ? ["OPERATION_NEEDS_ATTENTION", "OBJECT_WITHOUT_RECORD", "WRONG_REVISION"] : [],
    );
    if (attention) await assertRemedies(platform, operation);
    else await assertRepairable(platform, scenario, operation);
    return await platform.events();
  } finally {
    await platform.close();
  }
}

/** The command that a residue names does remove it. */
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

/** What `mpctl` would ask for when it is called like this. */
function carryOut({ deps, caller }: Platform, command: string): Promise<MutationResult> {
  const [, noun, verb, id = "", ...flags] = command.split(" ");
  const deletion = { etag: "", allowMissing: false, abandon: false, timeoutMs: null };
  const workload = `environments/${flags[1]}/workloads/${id}`;
  switch (`${noun} ${verb}`) {
    case "env delete": {
      const force = flags.includes("--force");
      const name = `environments/${id}`;
      return deleteEnvironment(deps, caller, { ...deletion, name, force });
    }
    case "workload delete":
      return deleteWorkload(deps, caller, { ...deletion, name: workload });
    case "workload restart":
      return restartWorkload(deps, caller, { name: workload, etag: "" });
    case "op retry":
      return retryOperation(deps, caller, { name: `operations/${id}` });
    default:
      throw new Error(`'${command}' is no command that the suite knows`);
  }
}

/** However it ended, the record says why. */
function assertTold(operation: Operation): void {
  const { state, error, residue, cancellation, endTime } = operation;
  assert.notEqual(endTime, null, "an ended operation has an end time");
  if (state === "FAILED" || state === "NEEDS_ATTENTION") assert.ok(error, "a failure has a reason");
  if (state === "NEEDS_ATTENTION") {
    assert.ok(residue.length > 0, "what is left behind is listed");
    assert.ok(residue.every(({ remedy }) => remedy.startsWith("mpctl ")), "with what removes it");
  }
  if (state === "CANCELLED") assert.ok(cancellation, "a cancellation says who asked for it");
}

/** Nothing is stuck: the same change can be asked for again, and then works. */
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
  assert.equal(again.state, "SUCCEEDED", `asked for again: ${again.error?.message}`);
  await platform.assertSound();
}

/** Cancels an operation before an engine has seen it. @returns all that was told */
export async function runCancelledBeforeStart(
  scenario: Scenario,
  options: PlatformOptions = {},
): Promise<readonly Event[]> {
  const platform = await Platform.start(options);
  try {
    await scenario.prepare(platform);
    // Nobody is there to start it when it is admitted and cancelled.
    await platform.crash();
    const { operation } = await scenario.request(platform);
    const name = operation!.value.name;
    await mark({ platform, scenario, operation: () => name, stepName: "" });
    await platform.restart();
    await platform.settle();
    const ended = await platform.operation(name);
    assert.equal(ended.state, "CANCELLED");
    assert.ok(ended.steps.every(({ attempts }) => attempts.length === 0), "no step has begun");
    await platform.assertSound();
    await assertRepairable(platform, scenario, ended);
    return await platform.events();
  } finally {
    await platform.close();
  }
}
