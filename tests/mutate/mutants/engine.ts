/** How operations run: tries of steps, the journal's writes, the embedded engine, the dispatcher. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const ENGINE: readonly Mutant[] = [
  ...mutantsOf("worker/engine/try_step.ts", ["worker/engine/try_step_test.ts"], [
    ["tries once too often", "failures >= retry.maxAttempts", "failures > retry.maxAttempts"],
    [
      "begins a try at the very end of its time",
      "pauseMs >= limit.at",
      "pauseMs > limit.at",
    ],
    ["retries what is not retryable", "!error.retryable || ", ""],
    [
      "does not count the failure at hand",
      "undo) + 1;\n  const pauseMs",
      "undo);\n  const pauseMs",
    ],
    ["cancels undos", "cancel: undo ? NEVER : cancel,", "cancel,"],
    [
      "runs a step of a cancelled operation",
      `  if (!undo && cancel.aborted) return cancelled(options);
  const limit`,
      "  const limit",
    ],
    ["runs again what the journal has settled", "  if (settled) return settled;\n", ""],
    [
      "begins a run although the operation is marked as cancelled",
      "operation.cancellation && !undo\n        ? operation\n        : startAttempt",
      "false ? operation : startAttempt",
    ],
  ]),
  ...mutantsOf("worker/engine/time_limits.ts", ["worker/engine/try_step_test.ts"], [
    [
      "lets an undo end at the operation's deadline",
      `    if (undo) return { at: step, of: "step" };\n`,
      "",
    ],
    ["reads a step's time from the record at each try", "this.#steps.get(key) ??", ""],
    [
      "reads the operation's time from the record at each try",
      "this.#operation ??=",
      "this.#operation =",
    ],
  ]),
  ...mutantsOf("worker/engine/operation_journal.ts", ["worker/engine/operation_journal_test.ts"], [
    ["writes what has ended", "isTerminal(operation.state) ? undefined : written", "written"],
    ["loses entries that came during a write", "this.#pending.slice(notes.length)", "[]"],
    ["takes entries that came during a write for written", "[...this.#pending];", "this.#pending;"],
    ["does not hear of a cancellation", "if (marked) this.#onCancel();", ""],
    ["overlooks a cancellation that was there", "if (stored.value.cancellation) onCancel();", ""],
    [
      "never writes again after a failure",
      "written.then(() => undefined, () => undefined)",
      "written",
    ],
    [
      "writes beside another write",
      "this.#writing.then(() => this.#write())",
      "this.#write()",
    ],
  ]),
  ...mutantsOf("worker/engine/embedded/embedded_engine.ts", [
    "tests/services/embedded_engine_test.ts",
  ], [
    ["runs an operation twice at once", " || this.#executions.has(operation)) return", ") return"],
    [
      "runs an operation without its lock",
      "if (!await holdsResource(store, stored.value)) return await settleWithoutLock(tools, journal);",
      "",
    ],
    [
      "does not stop steps when it closes",
      "this.#stop.abort(new EngineStopped(",
      "void (new EngineStopped(",
    ],
  ]),
  ...mutantsOf("worker/engine/embedded/embedded_driver.ts", [
    "tests/services/embedded_engine_test.ts",
  ], [
    [
      "sits out the pause of a cancelled operation",
      "undo ? stop : AbortSignal.any([stop, cancel])",
      "stop",
    ],
    [
      "cuts the pause of an undo short",
      "undo ? stop : AbortSignal.any([stop, cancel])",
      "AbortSignal.any([stop, cancel])",
    ],
  ]),
  ...mutantsOf("worker/engine/end_operation.ts", ["worker/engine/end_operation_test.ts"], [
    [
      "ends the operation before its resource is free",
      `    await releaseResource(tools.store,`,
      `    await finishOperation(tools, journal, outcome);
    await releaseResource(tools.store,`,
    ],
    [
      "releases the resource before the last step is in the journal",
      "  await journal.flush();\n",
      "",
    ],
  ]),
  ...mutantsOf("worker/engine/follow_log.ts", ["worker/engine/follow_log_test.ts"], [
    ["hears everything again after a failure", "cursor = event.sequence;", ""],
    [
      "goes on before what is no longer kept",
      `Number(error.metadata["compacted"])`,
      "0",
    ],
    [
      "leaves an event out that could not be taken",
      "        await take(event);\n        cursor = event.sequence;",
      "        cursor = event.sequence;\n        await take(event);",
    ],
  ]),
  ...mutantsOf("worker/engine/dispatcher.ts", ["tests/services/dispatcher_test.ts"], [
    [
      "begins to follow after its first look",
      `    const head = await this.#store.events.head();
    for (const operation of await this.#unbegun()) {
      this.#orders.push({ action: "start", operation });
    }`,
      `    for (const operation of await this.#unbegun()) {
      this.#orders.push({ action: "start", operation });
    }
    const head = await this.#store.events.head();`,
    ],
    [
      "drops the order that found the engine away",
      `        await this.#noteOutage(order.action, error);
        return false;`,
      `        await this.#noteOutage(order.action, error);
        return true;`,
    ],
    [
      "starts operations of another engine",
      "if (value.engine !== this.#engine.name) continue;",
      "",
    ],
    ["holds cancellations back during an outage", ` || order.action === "cancel")`, ")"],
    [
      "starts the newest first",
      `path: ["createTime"], descending: false`,
      `path: ["createTime"], descending: true`,
    ],
  ]),
];
