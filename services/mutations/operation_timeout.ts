import { invalidArgument } from "@mpc/domain";
import { defaultTimeoutMs, type Definition } from "../sagas/mod.ts";

const MAX_TIMEOUT_MS = 24 * 3_600_000;

/**
 * The time limit of an operation. Budgets nest: an attempt fits into its step's budget, and every
 * step that does not wait fits at least one whole attempt into the operation's time.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` if `wantedMs` is too short or too long
 */
export function operationTimeoutMs(definition: Definition, wantedMs: number | null): number {
  if (wantedMs === null) return defaultTimeoutMs(definition);
  const calls = definition.steps.filter((step) => step.heartbeatMs === undefined);
  const shortest = Math.max(0, ...calls.map((step) => step.attemptTimeoutMs));
  if (wantedMs >= shortest && wantedMs <= MAX_TIMEOUT_MS) return wantedMs;
  const action = definition.kind.split(".").reverse().join(" ");
  throw invalidArgument(action, [{
    field: "timeout",
    value: `${wantedMs / 1_000}s`,
    rule: "BUDGETS_NEST",
    hint: `must be ${shortest / 1_000}s (one attempt of its longest call) to 24h`,
  }]);
}
