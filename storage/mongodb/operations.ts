import type { Operation } from "@mpc/domain";
import type { OperationCollection, ReadOptions, Stored } from "../store.ts";
import { requestKey } from "./codec.ts";
import { MongoCollection } from "./collection.ts";

/** Operations, unique by actor and request id. */
export class MongoOperations extends MongoCollection<Operation> implements OperationCollection {
  async findByRequestId(
    actor: string,
    requestId: string,
    options: ReadOptions = {},
  ): Promise<Stored<Operation> | undefined> {
    return await this.access.calls.read(options.signal, async (limits) => {
      const request = requestKey(actor, requestId);
      return this.decoded(await this.documents.findOne({ request }, limits));
    });
  }
}
