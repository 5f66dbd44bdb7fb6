import { isTerminal, type Operation } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getOperation } from "./read_operations.ts";

/**
 * Yields an operation now and at each change, until it has ended or the caller has gone.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function* watchOperation(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): AsyncGenerator<Stored<Operation>> {
  // The head is read first, so that a change between the two reads is seen twice rather than never.
  const head = await deps.store.events.head({ signal: caller.signal });
  let current = await getOperation(deps, caller, name);
  yield current;
  if (isTerminal(current.value.state)) return;
  for await (const { resource } of deps.store.events.tail(head, caller.signal)) {
    if (resource?.kind !== "operation" || resource.value.name !== name) continue;
    if (resource.version <= current.version) continue;
    current = { value: resource.value, version: resource.version };
    yield current;
    if (isTerminal(current.value.state)) return;
  }
}
