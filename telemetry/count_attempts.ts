import { type ErrorRecord, isReason } from "@mpc/domain";
import type { Metrics } from "./metrics.ts";

/** How an attempt of a step ended, as engines report it. */
interface EndedAttempt {
  readonly step: string;
  readonly undo: boolean;
  readonly result: { readonly status: string; readonly error?: ErrorRecord };
}

/** Counts the attempts of steps; the reasons are those of the catalogue, so there are few. */
export function countAttempts({ stepAttempts }: Metrics): (attempt: EndedAttempt) => void {
  return ({ step, undo, result: { status, error } }) => {
    const reason = error === undefined ? "" : isReason(error.reason) ? error.reason : "OTHER";
    stepAttempts.labels(step, undo ? "undo" : "run", status, reason).inc();
  };
}
