import type { Operation } from "@mpc/domain";
import { requestIdTaken } from "../shared/errors.ts";
import type { OperationCollection, ReadOptions, Stored } from "../store.ts";
import { SqliteCollection } from "./collection.ts";

const BY_REQUEST = "SELECT name, version, body FROM operations WHERE actor = ? AND request_id = ?";

/** Operations, unique by actor and request id. */
export class SqliteOperations extends SqliteCollection<Operation> implements OperationCollection {
  findByRequestId(
    actor: string,
    requestId: string,
    options: ReadOptions = {},
  ): Promise<Stored<Operation> | undefined> {
    return this.read(
      options,
      () => this.row({ text: BY_REQUEST, values: [actor, requestId] }),
    );
  }

  protected override insert(value: Operation, body: string): void {
    const { actor, requestId } = value;
    if (requestId !== null && this.row({ text: BY_REQUEST, values: [actor, requestId] })) {
      throw requestIdTaken(requestId);
    }
    super.insert(value, body);
  }
}
