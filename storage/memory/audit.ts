import { type AuditRecord, isMpcError } from "@mpc/domain";
import type { AuditCollection } from "../store.ts";
import { MemoryCollection } from "./collection.ts";

/** The records of the audit. */
export class MemoryAudit extends MemoryCollection<AuditRecord> implements AuditCollection {
  async append(records: readonly AuditRecord[]): Promise<number> {
    for (const [index, record] of records.entries()) {
      try {
        await this.create(record);
      } catch (error) {
        if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
        return index;
      }
    }
    return records.length;
  }
}
