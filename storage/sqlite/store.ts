import type { DatabaseSync } from "node:sqlite";
import type {
  AuditMark,
  ClusterClaim,
  DeadLetter,
  Environment,
  EventSink,
  Installation,
  Lease,
  Orphan,
  Revision,
  Token,
  Workload,
} from "@mpc/domain";
import { storeClosed, throwIfAborted } from "../shared/errors.ts";
import type { ReadOptions, Store } from "../store.ts";
import { SqliteAudit } from "./audit.ts";
import { GroupCommit } from "./group_commit.ts";
import { migrate } from "./migrate.ts";
import { markOpening } from "./opening_mark.ts";
import { BUSY_TIMEOUT_MS, openDatabase } from "./open_database.ts";
import { SqliteCollection } from "./collection.ts";
import { COLUMNS } from "./columns.ts";
import { storeError, storeLocked } from "./errors.ts";
import { SqliteEventLog } from "./event_log.ts";
import { DatabaseHealth } from "./health.ts";
import { SqliteOperations } from "./operations.ts";
import { tryFolder } from "./try_folder.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  /**
   * Whether other handles, in this process or others of this machine, may open the file too. All of
   * them must set `shared`. False by default.
   */
  readonly shared?: boolean;
  /** How long a write waits for a write of another process; five seconds by default. */
  readonly busyTimeoutMs?: number;
}

/** How long another process may hold its lock before the store counts as not writable. */
const LOCKED_MS = 1_000;

/** A handle of a store in a SQLite file. */
export interface SqliteStore extends Store {
  assertWritable(options?: ReadOptions): Promise<void>;
  /** Transactions that this handle has committed; tests and benchmarks measure cost by them. */
  readonly commits: number;
}

/**
 * Opens the store in a SQLite file, and creates or migrates the file. Besides the errors of the
 * port, calls fail with `UNAVAILABLE` (retryable): `STORE_LOCKED` if another process writes for too
 * long, `STORE_REPLACED` if a file of the database is no longer in its place, `STORE_READ_ONLY` or
 * `STORE_IO_FAILED`. A database that turns out to be damaged (`STORE_CORRUPT`) is not written again.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE`, `STORE_NOT_WRITABLE` or `STORE_TOO_NEW`;
 *   DATA_LOSS `STORE_CORRUPT`
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, shared = false, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const opened = openDatabase(path, shared);
  const { database } = opened;
  try {
    migrate(database, path);
    if (opened.isFirst) markOpening(database);
    opened.admitOthers();
  } catch (error) {
    opened.close();
    throw storeError(error);
  }
  let open = true;
  const health = new DatabaseHealth(database, path);
  const assertReadable = () => {
    if (!open) throw storeClosed();
    health.assertReadable();
  };
  const events: SqliteEventLog = new SqliteEventLog({
    database,
    commit: () => commit,
    health,
    assertReadable,
    shared,
  });
  const commit = new GroupCommit(database, { log: events, health }, busyTimeoutMs);
  const access = { database, commit, health, assertReadable };
  return {
    environments: new SqliteCollection<Environment>(
      access,
      "environments",
      COLUMNS.environments,
    ),
    workloads: new SqliteCollection<Workload>(access, "workloads", COLUMNS.workloads),
    revisions: new SqliteCollection<Revision>(access, "revisions", COLUMNS.revisions),
    operations: new SqliteOperations(access, "operations", COLUMNS.operations),
    orphans: new SqliteCollection<Orphan>(access, "orphans"),
    claims: new SqliteCollection<ClusterClaim>(access, "claims"),
    leases: new SqliteCollection<Lease>(access, "leases"),
    tokens: new SqliteCollection<Token>(access, "tokens"),
    installations: new SqliteCollection<Installation>(access, "installations"),
    audit: new SqliteAudit(access, "audit", COLUMNS.audit),
    auditMarks: new SqliteCollection<AuditMark>(access, "audit_marks"),
    eventSinks: new SqliteCollection<EventSink>(access, "event_sinks"),
    deadLetters: new SqliteCollection<DeadLetter>(
      access,
      "dead_letters",
      COLUMNS.dead_letters,
    ),
    events,
    get commits() {
      return commit.commits;
    },
    async assertWritable({ signal }: ReadOptions = {}) {
      throwIfAborted(signal);
      if (!open) throw storeClosed();
      health.assertInPlace();
      tryFolder(path);
      await tryWrite(database, commit);
    },
    async close() {
      if (!open) return;
      await commit.close();
      open = false;
      events.close();
      opened.close();
    },
  };
}

/** Makes a commit that changes nothing, but goes to the disk like any other. */
async function tryWrite(database: DatabaseSync, commit: GroupCommit): Promise<void> {
  const written = commit.write({
    signal: undefined,
    events: [],
    run: () => database.exec("UPDATE log SET compacted = compacted"),
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (commit.waitedMs > 0) reject(storeLocked());
  }, LOCKED_MS);
  try {
    await Promise.race([written, late]);
  } finally {
    clearTimeout(timer);
  }
}
