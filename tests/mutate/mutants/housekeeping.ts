/** The janitor, retention and expiry. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const HOUSEKEEPING: readonly Mutant[] = [
  ...mutantsOf("worker/housekeeping/janitor.ts", [
    "tests/services/janitor_test.ts",
    "tests/services/admission_test.ts",
  ], [
    [
      "drops an operation within the grace period",
      "      if (ageMs < graceMs) return;\n",
      "",
    ],
    [
      "keeps an operation at the end of the grace period",
      "ageMs < graceMs",
      "ageMs <= graceMs",
    ],
    [
      "goes by the wall clock alone",
      "Math.max(clock.now() - operation.createTime, clock.monotonic() - since)",
      "clock.now() - operation.createTime",
    ],
    [
      "does not repeat a cancellation to the engine",
      "if (operation.cancellation) await engine.cancel(operation.name);",
      "",
    ],
    [
      "releases the resource of a running operation",
      "    if (operation && !isTerminal(operation.state)) return;\n",
      "",
    ],
    [
      "settles a workload by the deletion of its environment",
      "operation && operation.target === resource.name && ",
      "operation && ",
    ],
    [
      "stops at one failure",
      "if (this.#options.signal.aborted || isLeaseLost(error)) throw error;",
      "throw error;",
    ],
    [
      "does not stop the operation that a deletion waits for",
      "return await this.#stopHolder(resource.value.currentOperation, operation);",
      "return;",
    ],
    [
      "stops the operation that a cancelled deletion waited for",
      "=== operation.name && !operation.cancellation)",
      "=== operation.name)",
    ],
    ["never starts an admitted operation", "    await engine.start(operation.name);\n", ""],
    [
      "ignores an operation that its engine has ended",
      `if (status.state === "ended") {`,
      "if (false) {",
    ],
  ]),
  ...mutantsOf("worker/housekeeping/sweep_orphans.ts", [
    "tests/services/orphans_test.ts",
    "tests/services/deletion_test.ts",
  ], [
    [
      "sweeps objects whose resource has a record again",
      "if (await hasRecord(store, value, signal)) return;",
      "",
    ],
    [
      "forgets an orphan that is still there",
      "    await awaitRemoval(provider, orphan, { signal });\n",
      "",
    ],
    [
      "does not emit that it is gone",
      '      events: [{\n        time: clock.now(),\n        type: "NOTICED",\n        ...end,',
      '      events: [], ...[{\n        time: clock.now(),\n        type: "NOTICED",\n        ...end,',
    ],
  ]),
  ...mutantsOf("services/sagas/left_behind.ts", ["tests/services/orphans_test.ts"], [
    [
      "confuses another resource of the same name with the one that left it",
      "return found?.value.uid === targetUid;",
      "return found !== undefined;",
    ],
  ]),
  ...mutantsOf("worker/housekeeping/retention.ts", ["tests/services/retention_test.ts"], [
    ["deletes an operation that ended exactly at the limit", "endTime >= since", "endTime > since"],
    [
      "deletes the last operation of a resource",
      "if (resource?.value.lastOperation === name) return;",
      "",
    ],
    [
      "deletes a running operation",
      "!isTerminal(state) || endTime === null || ",
      "endTime !== null && ",
    ],
    ["stops at the first page", "?? since) >= since) return;", "?? since) <= since) return;"],
    ["keeps events forever", "    await store.events.compactBefore(since, { signal });\n", ""],
  ]),
  ...mutantsOf("worker/housekeeping/expiry.ts", ["tests/services/expiry_test.ts"], [
    [
      "emits its event too soon",
      "if (expireTime - NOTICE_MS > now) return expireTime - NOTICE_MS;",
      "",
    ],
    [
      "deletes a protected environment",
      `          { op: "=" as const, path: ["deletionProtection"], value: false },\n`,
      "",
    ],
    ["emits it twice", "expireTime || spokenOf(environment, expireTime)", "expireTime"],
    [
      "never requests a failed deletion again",
      "Math.floor((now - expireTime) / AGAIN_MS)",
      "0",
    ],
    [
      "sleeps on one timer",
      "await sleepUntil(this.#deps.clock, next, signal)",
      "await this.#deps.clock.sleep(next === undefined ? 1e9 : next - this.#deps.clock.now(), signal)",
    ],
    ["does not notice that an environment has changed", "    before.abort();\n", ""],
  ]),
  ...mutantsOf("worker/housekeeping/drift_watch.ts", ["tests/services/drift_test.ts"], [
    [
      "compares no environments",
      "for (const collection of [environments, workloads])",
      "for (const collection of [workloads])",
    ],
    [
      "writes the result over a later operation's",
      " || lastOperation !== seen.lastOperation",
      "",
    ],
    [
      "hides that a resource cannot be compared",
      "      if (!error.retryable) return unknownDrift(resource, error);\n",
      "",
    ],
  ]),
  ...mutantsOf("services/diagnostics/drift_findings.ts", ["tests/services/drift_test.ts"], [
    [
      "hides a resource that cannot be compared",
      "return error.retryable ? asWatched(resource) : { resource, error };",
      "return asWatched(resource);",
    ],
  ]),
];
