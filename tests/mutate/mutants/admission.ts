/** How changes are admitted, and how a repeated request finds its operation. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const ADMISSION: readonly Mutant[] = [
  ...mutantsOf("services/mutations/admission.ts", [
    "services/mutations/admission_test.ts",
    "tests/services/admission_test.ts",
  ], [
    [
      "acknowledges an operation whose admission is revoked",
      "if (!stored?.value.admissionRevoked) return stored;",
      "return stored;",
    ],
    [
      "drops an operation that has its lock",
      `  if (await isQueuedOrHolds(store, revoked.value)) {
    await confirmAdmission(deps, revoked.value.name);
    return;
  }
`,
      "",
    ],
    [
      "reads the lock before it revokes the admission",
      `  const revoked = stored.value.admissionRevoked
    ? stored
    : await store.operations.replace({ ...stored.value, admissionRevoked: true }, stored.version);
  if (await isQueuedOrHolds(store, revoked.value)) {
    await confirmAdmission(deps, revoked.value.name);
    return;
  }`,
      `  if (await isQueuedOrHolds(store, stored.value)) return;
  const revoked = stored.value.admissionRevoked
    ? stored
    : await store.operations.replace({ ...stored.value, admissionRevoked: true }, stored.version);`,
    ],
    [
      "considers a queued operation not admitted",
      `operation.state !== "PENDING" || operation.startTime !== null`,
      "operation.startTime !== null",
    ],
  ]),
  ...mutantsOf("services/mutations/admit.ts", [
    "services/mutations/admission_test.ts",
    "tests/services/admission_test.ts",
    "tests/services/preemption_test.ts",
  ], [
    ["does not check whether its record is still there", "  if (!admitted) {", "  if (false) {"],
    [
      "leaves the lock of an operation that was dropped",
      "    await unlock(deps, operation, prepared);\n",
      "",
    ],
    [
      "leaves the record of an operation whose lock was refused",
      "await deleteRefused(deps, created);",
      "{ /* left */ }",
    ],
    [
      "deletes the record although the lock may have been taken",
      `if (!isMpcError(error, "UNAVAILABLE")) await deleteRefused`,
      "await deleteRefused",
    ],
    [
      "does not stop the operation that a deletion preempts",
      `if (prepared.lock === "queue") await preempt`,
      `if (false) await preempt`,
    ],
    [
      "names the running operation, not the queued deletion",
      "resource.nextOperation ?? resource.currentOperation",
      "resource.currentOperation",
    ],
    [
      "considers a resource without a holder busy",
      "  if (resource.currentOperation === null) return;\n",
      "",
    ],
  ]),
  ...mutantsOf("services/mutations/idempotency.ts", [
    "services/mutations/admission_test.ts",
    "tests/services/admission_test.ts",
  ], [
    [
      "compares request ids by their spelling",
      "const id = requestId.toLowerCase();",
      "const id = requestId;",
    ],
    [
      "considers a different request a repeated one",
      "stored.value.requestHash !== requestHash",
      "false",
    ],
    [
      "subscribes after its read of the lock",
      "await nextWordOf(deps, stored.value, head, signal);",
      "await nextWordOf(deps, stored.value, await store.events.head({ signal }), signal);",
    ],
    [
      "returns an operation that is not admitted",
      "if (await isAdmitted(deps, stored.value, signal)) {",
      "{",
    ],
    [
      "does not confirm the operation that it found",
      "      const confirmed = await confirmAdmission(deps, stored.value.name);",
      "      const confirmed = stored;",
    ],
  ]),
  ...mutantsOf("services/mutations/mutate.ts", [
    "tests/services/admission_test.ts",
    "tests/services/plan_test.ts",
  ], [
    [
      "does not try again after the resource has changed",
      "if (isOutrun(error) && round < MAX_ROUNDS) continue;",
      "",
    ],
    [
      "does not check whether another process has admitted the same request",
      "const meanwhile = await repeated();",
      "const meanwhile = undefined;",
    ],
    [
      "executes an outdated plan",
      "        assertPlan(plan, planHash, target);\n",
      "",
    ],
  ]),
];
