import type { AuditEntry, AuditRecord } from "@mpc/domain";

/** The audit log, as callers append to it. Any number of processes append to one log. */
export interface AuditTrail {
  /**
   * Appends a record; it is durable when the call returns.
   * @throws {MpcError} UNAVAILABLE `AUDIT_UNAVAILABLE`: the record may not be kept
   */
  append(entry: AuditEntry): Promise<AuditRecord>;
  /** Resolves when this process has appended its next record. */
  appended(): Promise<void>;
}

/** Where records are also written to, besides the store. */
export interface AuditSink {
  /** Takes a record that is durable; it neither throws nor waits. */
  write(record: AuditRecord): void;
}
