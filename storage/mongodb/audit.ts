import { ObjectId } from "mongodb";
import type { AuditRecord } from "@mpc/domain";
import type { AuditCollection } from "../store.ts";
import { CODECS, type MongoDocument } from "./codec.ts";
import { MongoCollection } from "./collection.ts";
import { isDuplicate } from "./errors.ts";

/** The records of the audit. */
export class MongoAudit extends MongoCollection<AuditRecord> implements AuditCollection {
  async append(records: readonly AuditRecord[]): Promise<number> {
    const write = new ObjectId();
    const documents = records.map((record): MongoDocument => ({
      _id: record.name,
      version: 1,
      write,
      ...CODECS.audit.encode(record),
    }));
    const { calls } = this.access;
    return await calls.write("the audit", undefined, () =>
      calls.retried(async () => {
        // An ordered insert stops at the first document that it cannot add.
        for (let start = 0; start < documents.length; start = await this.#countOf(documents)) {
          try {
            await this.documents.insertMany(documents.slice(start), { ordered: true });
            break;
          } catch (error) {
            if (!isDuplicate(error)) throw error;
          }
          const added = await this.#countOf(documents);
          // No progress: the next name is taken by another writer. Otherwise an attempt whose answer
          // was lost had added some of them.
          if (added === start) return added;
        }
        return documents.length;
      }));
  }

  /** How many of the first documents are there as this write has added them. */
  async #countOf(documents: readonly MongoDocument[]): Promise<number> {
    const found = await this.documents.find(
      { _id: { $in: documents.map(({ _id }) => _id) } },
      { projection: { write: 1 } },
    ).toArray();
    const own = new Set(
      found.filter(({ write }) => write.equals(documents[0]?.write)).map(({ _id }) => _id),
    );
    const missing = documents.findIndex(({ _id }) => !own.has(_id));
    return missing < 0 ? documents.length : missing;
  }
}
