import type { AuditRecord } from "@mpc/domain";
import type { AuditCollection } from "../store.ts";
import { SqliteCollection } from "./collection.ts";

const BY_NAME = "SELECT name, version, body FROM audit WHERE name = ?";

/** The records of the audit. Those of one call are in one transaction: all or none. */
export class SqliteAudit extends SqliteCollection<AuditRecord> implements AuditCollection {
  append(records: readonly AuditRecord[]): Promise<number> {
    const bodies = records.map((record) => JSON.stringify(record));
    return this.access.commit.write({
      signal: undefined,
      events: [],
      run: () => {
        for (const [index, record] of records.entries()) {
          if (this.row({ text: BY_NAME, values: [record.name] })) return index;
          this.insert(record, bodies[index]!);
        }
        return records.length;
      },
    });
  }
}
