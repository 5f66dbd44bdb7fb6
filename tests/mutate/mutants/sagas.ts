/** The orchestrator, the journal, and the locks of resources. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const SAGAS: readonly Mutant[] = [
  ...mutantsOf("services/sagas/orchestrate.ts", ["services/sagas/orchestrate_test.ts"], [
    ["undoes in the order of the steps", "steps.toReversed()", "steps"],
    [
      "does not undo the step that failed",
      `    begun.push(step);
    const outcome = await driver.runStep(step);
    if (outcome.status === "succeeded") continue;`,
      `    const outcome = await driver.runStep(step);
    if (outcome.status === "succeeded") begun.push(step);
    if (outcome.status === "succeeded") continue;`,
    ],
    ["undoes a step that was skipped", `if (outcome.status === "skipped") begun.pop();`, ""],
    [
      "undoes a step on cancellation that must be kept",
      `s.undoable && s.onCancel === "undo"`,
      "s.undoable",
    ],
    ["undoes steps without an undo", "begun.filter((s) => s.undoable)", "begun"],
    ["reports the last undo's error instead of the first", "error ??= ", "error = "],
    [
      "ignores a single stuck undo",
      "stuck.length > 0 ? ",
      "stuck.length > 1 ? ",
    ],
    ["stops undoing at the first undo that fails", "error ??= outcome.error;", "break;"],
  ]),
  ...mutantsOf("services/sagas/journal.ts", [
    "services/sagas/journal_test.ts",
    "tests/services/operations_test.ts",
  ], [
    ["gives every attempt the number 1", "attempt.undo === undo ? attempt.number : n, 0)", "n, 0)"],
    [
      "leaves the attempt of a killed process open",
      "attempt.endTime === null ? cutOff(attempt, endTime) : attempt",
      "attempt",
    ],
    ["ends an operation twice", "if (isTerminal(operation.state)) return operation;", ""],
    [
      "keeps the first attempts and drops the last",
      "same.slice(-KEPT_ATTEMPTS)",
      "same.slice(1, KEPT_ATTEMPTS + 1)",
    ],
    [
      "does not count attempts that are no longer kept",
      "return forgotten + failed",
      "return failed",
    ],
    [
      "counts a killed process as a failure of the step",
      "error !== null && error.reason !== INTERRUPTED",
      "error !== null",
    ],
    [
      "confuses the end of an undo with that of the run",
      "step.attempts.findLast((attempt) => !attempt.undo)",
      "step.attempts.at(-1)",
    ],
    [
      "considers a killed attempt failed",
      ` || last.error.reason === INTERRUPTED`,
      "",
    ],
    [
      "undoes a step twice",
      `if (step.state === "UNDONE")`,
      `if (step.state === "PENDING")`,
    ],
    [
      "does not extend the deadline by idle time",
      " + idleBefore(operation, stepOf(operation, name), now)",
      "",
    ],
  ]),
  ...mutantsOf("services/sagas/release_lock.ts", [
    "services/sagas/locks_test.ts",
    "tests/services/preemption_test.ts",
    "services/mutations/admission_test.ts",
  ], [
    [
      "releases the lock of another operation",
      "if (current?.value.currentOperation !== holder) return;",
      "if (!current) return;",
    ],
    [
      "does not release the lock",
      "{ ...settled, currentOperation: null, nextOperation: null, lastOperation }",
      "{ ...settled, nextOperation: null, lastOperation }",
    ],
    [
      "does not note the last operation",
      "currentOperation: null, nextOperation: null, lastOperation }",
      "currentOperation: null, nextOperation: null }",
    ],
    ["hands the lock to a cancelled deletion", " || next.value.cancellation) return", ") return"],
    [
      "forgets the deletion that waits",
      "if (resource.nextOperation === null) return undefined;",
      "return undefined;",
    ],
    [
      "gives up after a conflict",
      `if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;`,
      "throw error;",
    ],
    [
      "sets the last operation when an admission is withdrawn",
      "lastOperation: before?.lastOperation ?? null,",
      "lastOperation: operation.name,",
    ],
  ]),
  ...mutantsOf("services/sagas/request_cancel.ts", ["services/sagas/locks_test.ts"], [
    ["replaces the first cancellation", " || operation.cancellation !== null", ""],
    ["cancels an operation that has ended", "isTerminal(operation.state) || ", ""],
  ]),
  ...mutantsOf("services/sagas/resource_lock.ts", [
    "services/sagas/locks_test.ts",
    "tests/services/embedded_engine_test.ts",
  ], [
    [
      "runs every operation that has a resource",
      "return resource?.value.currentOperation === operation.name;",
      "return resource !== undefined;",
    ],
    [
      "drops another deletion from the queue",
      "resource.nextOperation === operation.name\n          ?",
      "resource.nextOperation !== null\n          ?",
    ],
  ]),
  ...mutantsOf("services/sagas/claim_workloads.ts", ["tests/services/claim_workloads_test.ts"], [
    [
      "subscribes after its first read",
      `  const head = await store.events.head({ signal });
  let waiting = await claimIdle(context, environment);`,
      `  let waiting = await claimIdle(context, environment);
  const head = await store.events.head({ signal });`,
    ],
    [
      "claims a workload that a deletion waits for",
      " || workload.nextOperation !== null) return",
      ") return",
    ],
    ["does not stop the holder", "      await requestCancel(store, holder, {", "      void ({"],
    [
      "does not notice that the holder's record is gone",
      `event.type === "DELETED" && event.target.startsWith("operations/")`,
      "false",
    ],
    [
      "claims workloads of environments with the same beginning of the name",
      "prefix: `${environment}/workloads/`",
      "prefix: environment",
    ],
  ]),
];
