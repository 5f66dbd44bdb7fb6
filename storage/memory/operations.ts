import type { Operation } from "@mpc/domain";
import { requestIdTaken } from "../shared/errors.ts";
import type { OperationCollection, ReadOptions, Stored } from "../store.ts";
import { MemoryCollection } from "./collection.ts";

/** Operations, unique by actor and request id. */
export class MemoryOperations extends MemoryCollection<Operation> implements OperationCollection {
  async findByRequestId(
    actor: string,
    requestId: string,
    options: ReadOptions = {},
  ): Promise<Stored<Operation> | undefined> {
    const found = this.#find(actor, requestId);
    return found && await this.get(found.value.name, options);
  }

  protected override checkUnique(value: Operation): void {
    if (value.requestId !== null && this.#find(value.actor, value.requestId)) {
      throw requestIdTaken(value.requestId);
    }
  }

  #find(actor: string, requestId: string): Stored<Operation> | undefined {
    for (const stored of this.documents.values()) {
      if (stored.value.requestId === requestId && stored.value.actor === actor) return stored;
    }
    return undefined;
  }
}
