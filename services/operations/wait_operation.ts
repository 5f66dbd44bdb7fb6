import { invalidArgument, isTerminal, type Operation } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { sleepUnlessAborted } from "../sleep_unless_aborted.ts";
import { getOperation } from "./read_operations.ts";
import { watchOperation } from "./watch_operation.ts";

/**
 * Waits until an operation has ended, at most `timeoutMs`, and returns its current state; 0 does
 * not wait.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function waitOperation(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
  timeoutMs: number,
): Promise<Stored<Operation>> {
  if (timeoutMs < 0) {
    throw invalidArgument("wait for operation", [{
      field: "timeout",
      value: `${timeoutMs / 1_000}s`,
      rule: "MINIMUM",
      hint: "must not be negative",
    }]);
  }
  const timeout = new AbortController();
  const ended = new AbortController();
  const over = AbortSignal.any([ended.signal, caller.signal]);
  const timer = sleepUnlessAborted(deps.clock, timeoutMs, over)
    .then((slept) => slept && timeout.abort());
  const signal = AbortSignal.any([caller.signal, timeout.signal]);
  try {
    for await (const stored of watchOperation(deps, { ...caller, signal }, name)) {
      if (isTerminal(stored.value.state)) return stored;
    }
  } catch (error) {
    // After the timeout, the error says that the caller aborted, which is not true.
    if (!timeout.signal.aborted || caller.signal.aborted) throw error;
  } finally {
    ended.abort();
    await timer;
  }
  return await getOperation(deps, caller, name);
}
