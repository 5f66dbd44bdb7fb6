/** The janitor, retention and expiry. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const HOUSEKEEPING: readonly Mutant[] = [
  ...mutantsOf("worker/housekeeping/janitor.ts", [
    "tests/services/janitor_test.ts",
    "tests/services/admission_test.ts",
  ], [
    [
      "drops what is younger than the grace",
      "      if (ageMs < graceMs) return;\n",
      "",
    ],
    [
      "leaves what is as old as the grace",
      "ageMs < graceMs",
      "ageMs <= graceMs",
    ],
    [
      "goes by the wall clock alone",
      "Math.max(clock.now() - operation.createTime, clock.monotonic() - since)",
      "clock.now() - operation.createTime",
    ],
    [
      "does not tell the engine again of a cancellation",
      "if (operation.cancellation) await engine.cancel(operation.name);",
      "",
    ],
    [
      "frees the resource of a running operation",
      "    if (operation && !isTerminal(operation.state)) return;\n",
      "",
    ],
    [
      "settles a workload by the deletion of its environment",
      "operation && operation.target === resource.name && ",
      "operation && ",
    ],
    [
      "lets one failure keep it from the rest",
      "if (this.#options.signal.aborted) throw error;",
      "throw error;",
    ],
    [
      "does not stop what a deletion waits for",
      "return await this.#stopHolder(resource.value.currentOperation, operation);",
      "return;",
    ],
    [
      "stops what a cancelled deletion waited for",
      "=== operation.name && !operation.cancellation)",
      "=== operation.name)",
    ],
    ["never starts what was admitted", "    await engine.start(operation.name);\n", ""],
    ["leaves what its engine has ended", `if (status.state === "ended") {`, "if (false) {"],
  ]),
  ...mutantsOf("worker/housekeeping/sweep_orphans.ts", [
    "tests/services/orphans_test.ts",
    "tests/services/deletion_test.ts",
  ], [
    ["sweeps what has a record again", "if (await hasRecord(store, value, signal)) return;", ""],
    [
      "forgets an orphan that is still there",
      "      await provider.awaitNamespaceGone(ref, { signal });\n",
      "",
    ],
    [
      "takes another resource of the same name for the orphan's",
      "return found?.value.uid === targetUid;",
      "return found !== undefined;",
    ],
    [
      "does not say that it is gone",
      '      events: [{\n        time: clock.now(),\n        type: "NOTICED",\n        ...end,',
      '      events: [], ...[{\n        time: clock.now(),\n        type: "NOTICED",\n        ...end,',
    ],
  ]),
  ...mutantsOf("worker/housekeeping/retention.ts", ["tests/services/retention_test.ts"], [
    ["forgets what ended at the very edge", "endTime >= since", "endTime > since"],
    [
      "forgets the last operation of a resource",
      "if (resource?.value.lastOperation === name) return;",
      "",
    ],
    ["forgets what runs", "!isTerminal(state) || endTime === null || ", "endTime !== null && "],
    ["stops at the first page", "?? since) >= since) return;", "?? since) <= since) return;"],
    ["keeps events for ever", "    await store.events.compactBefore(since, { signal });\n", ""],
  ]),
  ...mutantsOf("worker/housekeeping/expiry.ts", ["tests/services/expiry_test.ts"], [
    [
      "gives notice too soon",
      "if (expireTime - NOTICE_MS > now) return expireTime - NOTICE_MS;",
      "",
    ],
    [
      "deletes what is protected",
      `          { op: "=" as const, path: ["deletionProtection"], value: false },\n`,
      "",
    ],
    ["says it twice", "expireTime || spokenOf(environment, expireTime)", "expireTime"],
    [
      "never asks again for a deletion that failed",
      "Math.floor((now - expireTime) / AGAIN_MS)",
      "0",
    ],
    [
      "sleeps on one timer",
      "await sleepUntil(this.#deps.clock, next, signal)",
      "await this.#deps.clock.sleep(next === undefined ? 1e9 : next - this.#deps.clock.now(), signal)",
    ],
    ["does not hear that an environment has changed", "    before.abort();\n", ""],
  ]),
];
