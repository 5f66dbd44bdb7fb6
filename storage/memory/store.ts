import type {
  AuditMark,
  ClusterClaim,
  DeadLetter,
  Environment,
  EventSink,
  Installation,
  Lease,
  NewEvent,
  Orphan,
  Revision,
  Token,
  Workload,
} from "@mpc/domain";
import { storeClosed, throwIfAborted } from "../shared/errors.ts";
import type { ReadOptions, Store } from "../store.ts";
import { MemoryAudit } from "./audit.ts";
import { MemoryCollection, type MemoryCommit } from "./collection.ts";
import { MemoryEventLog } from "./event_log.ts";
import { MemoryOperations } from "./operations.ts";

export interface MemoryStoreOptions {
  /**
   * The distance from one event's sequence to the next; 1 by default. Tests choose more, to show that
   * nothing relies on dense sequences.
   */
  readonly sequenceStep?: number;
}

/** Opens a store that lives until it is closed. It has one handle. */
export function openMemoryStore({ sequenceStep = 1 }: MemoryStoreOptions = {}): Store {
  let open = true;
  const assertOpen = () => {
    if (!open) throw storeClosed();
  };
  const events = new MemoryEventLog(assertOpen, sequenceStep);
  const commit: MemoryCommit = {
    assertOpen,
    commit(written: readonly NewEvent[] = []) {
      events.push(written);
    },
  };
  return {
    environments: new MemoryCollection<Environment>(commit),
    workloads: new MemoryCollection<Workload>(commit),
    revisions: new MemoryCollection<Revision>(commit),
    operations: new MemoryOperations(commit),
    orphans: new MemoryCollection<Orphan>(commit),
    claims: new MemoryCollection<ClusterClaim>(commit),
    leases: new MemoryCollection<Lease>(commit),
    tokens: new MemoryCollection<Token>(commit),
    installations: new MemoryCollection<Installation>(commit),
    audit: new MemoryAudit(commit),
    auditMarks: new MemoryCollection<AuditMark>(commit),
    eventSinks: new MemoryCollection<EventSink>(commit),
    deadLetters: new MemoryCollection<DeadLetter>(commit),
    events,
    assertWritable({ signal }: ReadOptions = {}) {
      return Promise.try(() => {
        throwIfAborted(signal);
        assertOpen();
      });
    },
    close() {
      open = false;
      events.close();
      return Promise.resolve();
    },
  };
}
