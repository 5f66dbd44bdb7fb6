/**
 * How operations run: attempts of steps, the journal's writes, the embedded engine, the dispatcher.
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const ENGINE: readonly Mutant[] = [
  ...mutantsOf("worker/engine/try_step.ts", ["worker/engine/try_step_test.ts"], [
    ["makes one attempt too many", "failures >= retry.maxAttempts", "failures > retry.maxAttempts"],
    [
      "begins an attempt at the very end of its time",
      "pauseMs >= limit.at",
      "pauseMs > limit.at",
    ],
    ["retries a permanent failure", "!error.retryable || ", ""],
    [
      "does not count the current failure",
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
    ["runs a settled step again", "  if (settled) return settled;\n", ""],
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
    [
      "writes an operation that has ended",
      "isTerminal(operation.state) ? undefined : written",
      "written",
    ],
    ["loses entries that came during a write", "this.#pending.slice(notes.length)", "[]"],
    ["considers entries that came during a write written", "[...this.#pending];", "this.#pending;"],
    ["does not notice a cancellation", "if (marked) this.#onCancel();", ""],
    ["overlooks an earlier cancellation", "if (stored.value.cancellation) onCancel();", ""],
    [
      "never writes again after a failure",
      "written.then(() => undefined, () => undefined)",
      "written",
    ],
    [
      "writes during another write",
      "this.#writing.then(() => this.#write())",
      "this.#write()",
    ],
  ]),
  ...mutantsOf("worker/engine/embedded/embedded_engine.ts", [
    "tests/services/embedded_engine_test.ts",
  ], [
    [
      "runs an operation twice concurrently",
      " || this.#executions.has(operation)) return",
      ") return",
    ],
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
      "ends the operation before its resource is released",
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
    ["repeats all events after a failure", "cursor = event.sequence;", ""],
    [
      "continues before the oldest event that is kept",
      `Number(error.metadata["compacted"])`,
      "0",
    ],
    [
      "skips an event that its consumer failed on",
      "        await take(event);\n        cursor = event.sequence;",
      "        cursor = event.sequence;\n        await take(event);",
    ],
  ]),
  ...mutantsOf("worker/engine/dispatcher.ts", ["tests/services/dispatcher_test.ts"], [
    [
      "begins to follow after its first read",
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
      "drops the order during which the engine was unreachable",
      `        await this.#noteOutage(order.action, error);
        return false;`,
      `        await this.#noteOutage(order.action, error);
        return true;`,
    ],
    [
      "finds the operations of another engine",
      `
          { op: "=", path: ["engine"], value: this.#engine.name },`,
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
