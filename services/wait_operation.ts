import { isTerminal, type Operation } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import { getOperation } from "./get_operation.ts";
import { watchOperation } from "./watch_operation.ts";

/**
 * Waits until an operation has ended, at most `timeoutMs`, and answers with it as it is then.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function waitOperation(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
  timeoutMs: number,
): Promise<Stored<Operation>> {
  const timeout = new AbortController();
  const ended = new AbortController();
  const timer = deps.clock.sleep(timeoutMs, AbortSignal.any([ended.signal, caller.signal])).then(
    () => timeout.abort(),
    (error) => {
      if (!ended.signal.aborted && !caller.signal.aborted) throw error;
    },
  );
  const signal = AbortSignal.any([caller.signal, timeout.signal]);
  try {
    for await (const stored of watchOperation(deps, { ...caller, signal }, name)) {
      if (isTerminal(stored.value.state)) return stored;
    }
    return await getOperation(deps, caller, name);
  } finally {
    ended.abort();
    await timer;
  }
}
