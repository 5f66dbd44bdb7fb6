import assert from "node:assert/strict";
import { recordError } from "./error_record.ts";
import { errorFor, MpcError, uncheckedError } from "./errors.ts";
import { EVENT_REASONS, type EventReason, stateReason } from "./event_reasons.ts";
import { adviceFor, ERROR_CODES, type ErrorCode, type ErrorReason, REASONS } from "./reasons.ts";
import { ENVIRONMENT_MOVES, OPERATION_MOVES, WORKLOAD_MOVES } from "./transitions.ts";

const message = "Cannot do it";

Deno.test("the type checker refuses unknown reasons, and reasons of another code", () => {
  new MpcError("NOT_FOUND", { reason: "WORKLOAD_NOT_FOUND", message });
  // @ts-expect-error: nobody has put it into the catalogue
  new MpcError("NOT_FOUND", { reason: "WORKLOAD_MISSING", message });
  // @ts-expect-error: its code is NOT_FOUND
  new MpcError("ABORTED", { reason: "WORKLOAD_NOT_FOUND", message });
  // @ts-expect-error: at run time the code may be the other one
  new MpcError<"NOT_FOUND" | "ABORTED">("NOT_FOUND", { reason: "WORKLOAD_NOT_FOUND", message });
  // @ts-expect-error: a text may be anything
  errorFor(String("WORKLOAD_NOT_FOUND"), { message });
  // @ts-expect-error: comparisons are checked as well
  assert.equal(errorFor("NO_WORKER", { message }).reason === "NO_WORKERS", false);
});

Deno.test("the type checker refuses events and conditions with unknown reasons", () => {
  const known: EventReason = "StepSucceeded";
  // @ts-expect-error: nobody has put it into the catalogue
  const unknown: EventReason = "StepSucceded";
  assert.notEqual(known, unknown);
  const failed: EventReason = stateReason("CREATE_FAILED");
  // @ts-expect-error: no event tells of this state
  const none: EventReason = stateReason("UNDO_FAILED_TWICE");
  assert.deepEqual([failed, none], ["CreateFailed", "UndoFailedTwice"]);
});

Deno.test("errorFor() gives the code that the catalogue has", () => {
  for (const [code, reason] of all()) assert.equal(errorFor(reason, { message }).code, code);
});

Deno.test("a reason stands under one code only", () => {
  const reasons = all().map(([, reason]) => reason);
  assert.equal(new Set(reasons).size, reasons.length);
});

Deno.test("each advice is one plain sentence", () => {
  for (const [code, reason] of all()) {
    assert.match(reason, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    const { responsible, nextStep, command } = adviceFor({ code, reason });
    assert.match(nextStep, /^[A-Z][^\n]*[^.\s]$/, reason);
    assert.ok(nextStep.length <= 90, `${reason} has ${nextStep.length} characters`);
    assert.doesNotMatch(
      command.replaceAll(/\{(environment|workload|operation)\}/g, ""),
      /[{}]/,
      reason,
    );
    // Only explain, for callers, has ids to fill in.
    if (responsible !== "caller") assert.doesNotMatch(command, /[{}]/, reason);
  }
  for (const [reason, meaning] of Object.entries(EVENT_REASONS)) {
    assert.match(reason, /^([A-Z][a-z]+)+$/);
    assert.match(meaning, /^[A-Z][^\n]*[^.\s]$/, reason);
  }
});

Deno.test("a reason of another version gets an answer, and is passed on as it is", () => {
  const unknown = uncheckedError("UNAVAILABLE", "FROM_THE_FUTURE", { message });
  assert.equal(recordError(unknown).reason, "FROM_THE_FUTURE");
  const { responsible, nextStep } = adviceFor(unknown);
  assert.equal(responsible, "platform");
  assert.match(nextStep, /does not know the reason/);
  assert.equal(adviceFor({ code: "INVALID_ARGUMENT", reason: "toString" }).responsible, "caller");
});

Deno.test("every state of a resource and every end of an operation has its event's reason", () => {
  const states = [...Object.keys(ENVIRONMENT_MOVES), ...Object.keys(WORKLOAD_MOVES)];
  const ends = Object.entries(OPERATION_MOVES).flatMap(([state, next]) =>
    next.length === 0 ? [`OPERATION_${state}`] : []
  );
  for (const state of [...states, ...ends]) {
    assert.ok(Object.hasOwn(EVENT_REASONS, stateReason(state)), state);
  }
});

function all(): readonly (readonly [ErrorCode, ErrorReason])[] {
  return ERROR_CODES.flatMap((code) =>
    Object.keys(REASONS[code]).map((reason) => [code, reason as ErrorReason] as const)
  );
}
