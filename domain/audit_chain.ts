/** The chain of hashes over the audit log. It is not in `mod.ts`, which must run without Node. */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import {
  type AuditEntry,
  type AuditHead,
  type AuditRecord,
  auditRecordName,
  NO_AUDIT,
} from "./audit.ts";
import type { Instant } from "./time.ts";

/** What is wrong with the first wrong record. */
export interface AuditProblem {
  readonly sequence: number;
  /**
   * `MISSING`: it is not there. `CHANGED`: its hash is not that of its contents. `DISCONNECTED`: it
   * does not name the hash of the record before. `NOT_AS_EXPECTED`: it is not the record that was
   * there before.
   */
  readonly kind: "MISSING" | "CHANGED" | "DISCONNECTED" | "NOT_AS_EXPECTED";
  readonly message: string;
}

export interface AuditVerdict {
  /** How many records are in order. */
  readonly checked: number;
  /** The last of them. */
  readonly head: AuditHead;
  readonly problem: AuditProblem | null;
}

/** The next record of a chain. */
export function chained(head: AuditHead, entry: AuditEntry, time: Instant): AuditRecord {
  const sequence = head.sequence + 1;
  const name = auditRecordName(sequence);
  const record = { ...entry, name, sequence, time, previousHash: head.hash };
  return { ...record, hash: hashOf(record) };
}

/** SHA-256 in hexadecimal over the record in canonical JSON (RFC 8785), without its hash. */
function hashOf({ hash: _, ...record }: Omit<AuditRecord, "hash"> & { hash?: string }): string {
  return createHash("sha256").update(canonicalize(record) ?? "").digest("hex");
}

/**
 * Checks records in the order of their names, from the oldest one that is kept.
 * @param known.removed the newest record that retention has removed
 * @param known.positions records that must be there, such as the newest one that is known
 */
export async function verifyAudit(
  pages: AsyncIterable<readonly AuditRecord[]>,
  known: { readonly removed?: AuditHead; readonly positions?: readonly AuditHead[] },
): Promise<AuditVerdict> {
  const { removed = NO_AUDIT, positions = [] } = known;
  let head = removed;
  let checked = 0;
  const verdict = (
    sequence: number,
    kind: AuditProblem["kind"],
    message: string,
  ): AuditVerdict => ({ checked, head, problem: { sequence, kind, message } });
  const early = positions.find(({ sequence }) => sequence > 0 && sequence < removed.sequence);
  if (early) {
    const message = `Records up to ${removed.sequence} have been removed, so it cannot be compared`;
    return verdict(early.sequence, "NOT_AS_EXPECTED", message);
  }
  const differs = ({ sequence, hash }: AuditHead) =>
    positions.some((known) => known.sequence === sequence && known.hash !== hash);
  if (differs(removed)) {
    return verdict(removed.sequence, "NOT_AS_EXPECTED", "It had another hash before");
  }
  for await (const page of pages) {
    for (const record of page) {
      const next = head.sequence + 1;
      if (record.name < auditRecordName(next)) continue; // Retention is removing it.
      if (record.name > auditRecordName(next)) {
        return verdict(next, "MISSING", `After record ${head.sequence} comes '${record.name}'`);
      }
      if (record.sequence !== next || hashOf(record) !== record.hash) {
        return verdict(next, "CHANGED", "Its hash is not that of its contents");
      }
      if (record.previousHash !== head.hash) {
        const message = `It does not follow record ${head.sequence}: one of both was replaced`;
        return verdict(next, "DISCONNECTED", message);
      }
      if (differs(record)) return verdict(next, "NOT_AS_EXPECTED", "It had another hash before");
      head = { sequence: next, hash: record.hash };
      checked++;
    }
  }
  const last = Math.max(0, ...positions.map(({ sequence }) => sequence));
  if (last > head.sequence) {
    const message = `The log ends at record ${head.sequence}, and had ${last} records before`;
    return verdict(head.sequence + 1, "MISSING", message);
  }
  return { checked, head, problem: null };
}
