import type { FieldChange } from "./plan.ts";
import type { Instant } from "./time.ts";

export const AUDIT_PHASES = ["REQUESTED", "COMPLETED"] as const;

/** `REQUESTED`: the call is about to make its first change. `COMPLETED`: it has ended. */
export type AuditPhase = (typeof AUDIT_PHASES)[number];

/** What is recorded of a call. Texts are empty where there is nothing to say. */
export interface AuditEntry {
  readonly phase: AuditPhase;
  /** The sequence of the `REQUESTED` record of the same call; 0 if there is none. */
  readonly requestedBy: number;
  readonly actor: string;
  readonly groups: readonly string[];
  /** The address that the call came from. */
  readonly source: string;
  readonly method: string;
  /** Name of the resource that the call is about. */
  readonly target: string;
  readonly requestId: string;
  readonly operation: string;
  readonly permission: string;
  /** What the change asks for, without secret values. */
  readonly changes: readonly FieldChange[];
  /** `OK` or the canonical code's name; empty for `REQUESTED`. */
  readonly result: string;
  readonly reason: string;
  readonly traceparent: string;
  /** How many calls it stands for. */
  readonly count: number;
}

/** One entry of the audit log, linked to the record before by its hash. */
export interface AuditRecord extends AuditEntry {
  /** `auditRecords/{sequence}`, the sequence with 16 digits: names sort as sequences do. */
  readonly name: string;
  /** Counts up from 1 without gaps. */
  readonly sequence: number;
  readonly time: Instant;
  /** The hash of the record before; empty for the first record. */
  readonly previousHash: string;
  readonly hash: string;
}

/** A position in the audit log. */
export interface AuditHead {
  /** 0 before the first record. */
  readonly sequence: number;
  readonly hash: string;
}

/** The audit log before its first record. */
export const NO_AUDIT: AuditHead = { sequence: 0, hash: "" };

/** The newest record that retention has removed. */
export const AUDIT_REMOVED = "auditMarks/removed";

/** A recent record; the log is not shorter than it says. */
export const AUDIT_NEWEST = "auditMarks/newest";

/** A position that is kept beside the log: what the log itself cannot tell about its two ends. */
export interface AuditMark extends AuditHead {
  readonly name: typeof AUDIT_REMOVED | typeof AUDIT_NEWEST;
}

export const auditRecordName = (sequence: number): string =>
  `auditRecords/${String(sequence).padStart(16, "0")}`;
