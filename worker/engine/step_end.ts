import type { Instant, JsonObject, StepState } from "@mpc/domain";
import { endAttempt, settleStep, stepOf } from "@mpc/services/sagas";
import type { Note } from "./operation_journal.ts";

/**
 * How the last attempt of a step ended, to be written with the next entry. Serializable as JSON.
 */
export interface StepEnd {
  readonly step: string;
  readonly state: "SUCCEEDED" | "CANCELLED" | "UNDONE";
  readonly output: JsonObject | null;
  readonly time: Instant;
}

/** The state before each end. A step in any other state already has its end written. */
const BEFORE: Readonly<Record<StepEnd["state"], StepState>> = {
  SUCCEEDED: "RUNNING",
  CANCELLED: "RUNNING",
  UNDONE: "UNDOING",
};

/** The journal entry for a step's end. Idempotent. */
export function noteOfEnd({ step, state, output, time }: StepEnd): Note {
  const error = state === "CANCELLED" ? CANCELLED : null;
  return {
    edit: (operation) => {
      if (stepOf(operation, step).state !== BEFORE[state]) return operation;
      const ended = endAttempt(operation, step, { now: time, error, nextRetryTime: null });
      return settleStep(ended, step, time, { state, output });
    },
    ...WORDS[state](step),
  };
}

const CANCELLED = {
  code: "CANCELLED",
  reason: "OPERATION_CANCELLED",
  message: "Cancelled while it ran",
  retryable: false,
  metadata: {},
  causes: [],
} as const;

const WORDS: Readonly<
  Record<StepEnd["state"], (step: string) => Pick<Note, "reason" | "message">>
> = {
  SUCCEEDED: (step) => ({ reason: "StepSucceeded", message: `Step '${step}' succeeded` }),
  CANCELLED: (step) => ({ reason: "StepCancelled", message: `Step '${step}' was cancelled` }),
  UNDONE: (step) => ({ reason: "StepUndone", message: `Step '${step}' is undone` }),
};
