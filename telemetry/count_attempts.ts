import { type ErrorRecord, isReason } from "@mpc/domain";
import type { Metrics } from "./metrics.ts";

/** How an attempt of a step ended, as engines report it. */
interface EndedAttempt {
  readonly step: string;
  readonly undo: boolean;
  readonly result: { readonly status: string; readonly error?: ErrorRecord };
}

/** A step that is tried again, as engines report it. */
interface Retry {
  readonly step: string;
  readonly undo: boolean;
  readonly error: ErrorRecord;
}

const direction = (undo: boolean): string => undo ? "undo" : "run";

/** The reasons are those of the catalogue, so there are few. */
const label = ({ reason }: ErrorRecord): string => isReason(reason) ? reason : "OTHER";

/** Counts the attempts of steps. */
export function countAttempts({ stepAttempts }: Metrics): (attempt: EndedAttempt) => void {
  return ({ step, undo, result: { status, error } }) => {
    stepAttempts.labels(step, direction(undo), status, error ? label(error) : "").inc();
  };
}

/** Counts the attempts that are to be followed by another. */
export function countRetries({ stepRetries }: Metrics): (retry: Retry) => void {
  return ({ step, undo, error }) => stepRetries.labels(step, direction(undo), label(error)).inc();
}
