import { environmentIdOf, environmentName, type Operation, parseTraceparent } from "@mpc/domain";
import { frequentLog } from "@mpc/process";
import type { AttemptResult } from "./run_attempt.ts";

const ended = frequentLog("steps", "info");
const failed = frequentLog("steps", "warning");

/** An attempt of a step that has ended. */
export interface LoggedAttempt {
  readonly operation: Operation;
  readonly step: string;
  readonly undo: boolean;
  /** The number of the attempt, beginning with 1. */
  readonly number: number;
  readonly result: AttemptResult<unknown>;
  readonly durationMs: number;
}

/** Logs one line for each attempt: a warning if it failed, and otherwise information. */
export function logAttempt({ operation, step, undo, number, result, durationMs }: LoggedAttempt) {
  const log = result.status === "failed" ? failed : ended;
  if (!log.isEnabled()) return;
  const { name, kind, target, actor, traceparent } = operation;
  const error = result.status === "failed" ? result.error : undefined;
  log.write("{kind} {step} {outcome}", {
    operation: name,
    kind,
    step,
    direction: undo ? "undo" : "run",
    attempt: number,
    resource: target,
    environment: target.startsWith("environments/")
      ? environmentName(environmentIdOf(target))
      : undefined,
    principal: actor,
    outcome: result.status,
    code: error?.code,
    reason: error?.reason,
    error,
    durationMs: Math.round(durationMs * 10) / 10,
    traceId: parseTraceparent(traceparent ?? null)?.traceId,
  });
}
