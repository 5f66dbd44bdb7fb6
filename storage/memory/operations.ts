import type { Operation } from "@mpc/domain";
import { requestIdTaken } from "../shared/errors.ts";
import type { OperationCollection, ReadOptions, Stored } from "../store.ts";
import { MemoryCollection } from "./collection.ts";

/** Operations, unique by actor and request id. */
export class MemoryOperations extends MemoryCollection<Operation> implements OperationCollection {
  /** Names by actor and request id. */
  readonly #byRequest = new Map<string, string>();

  async findByRequestId(
    actor: string,
    requestId: string,
    options: ReadOptions = {},
  ): Promise<Stored<Operation> | undefined> {
    const key = requestKey({ actor, requestId });
    return await this.read(options, () => this.stored(key && this.#byRequest.get(key)));
  }

  protected override checkUnique(value: Operation): void {
    const key = requestKey(value);
    if (key && this.#byRequest.has(key)) throw requestIdTaken(value.requestId ?? "");
  }

  protected override changed(before: Operation | undefined, after: Operation | undefined): void {
    const [old, now] = [before && requestKey(before), after && requestKey(after)];
    if (old) this.#byRequest.delete(old);
    if (now && after) this.#byRequest.set(now, after.name);
    super.changed(before, after);
  }
}

/** Undefined where the operation has no request id. */
function requestKey(
  { actor, requestId }: Pick<Operation, "actor" | "requestId">,
): string | undefined {
  return requestId === null ? undefined : JSON.stringify([actor, requestId]);
}
