import type {
  ClusterClaim,
  Environment,
  Installation,
  Lease,
  Orphan,
  Revision,
  Workload,
} from "@mpc/domain";
import type { Store } from "../store.ts";
import { GroupCommit } from "./group_commit.ts";
import { migrate } from "./migrate.ts";
import { BUSY_TIMEOUT_MS, openDatabase } from "./open_database.ts";
import { SqliteCollection } from "./collection.ts";
import { storeError } from "./errors.ts";
import { SqliteEventLog } from "./event_log.ts";
import { SqliteOperations } from "./operations.ts";

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

/** A handle of a store in a SQLite file. */
export interface SqliteStore extends Store {
  /** Transactions that this handle has committed; tests and benchmarks measure cost by them. */
  readonly commits: number;
}

/**
 * Opens the store in a SQLite file, and creates or migrates the file. Besides the errors of the
 * port, a write fails with `UNAVAILABLE` `STORE_UNAVAILABLE` (retryable) if another process writes
 * for too long.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE`, `STORE_NOT_WRITABLE` or `STORE_TOO_NEW`;
 *   DATA_LOSS `STORE_CORRUPT`
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, shared = false, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const database = openDatabase(path, shared);
  try {
    migrate(database, path);
  } catch (error) {
    database.close();
    throw storeError(error);
  }
  let open = true;
  const isOpen = () => open;
  const events: SqliteEventLog = new SqliteEventLog({
    database,
    commit: () => commit,
    isOpen,
    shared,
  });
  const commit = new GroupCommit(database, events, busyTimeoutMs);
  const access = { database, commit, isOpen };
  return {
    environments: new SqliteCollection<Environment>(access, "environments", {
      expireTime: "expire_time",
      currentOperation: "current_operation",
      state: "state",
      labels: "labels",
    }),
    workloads: new SqliteCollection<Workload>(access, "workloads", {
      currentOperation: "current_operation",
      state: "state",
      labels: "labels",
    }),
    revisions: new SqliteCollection<Revision>(access, "revisions", { number: "number" }),
    operations: new SqliteOperations(access, "operations", {
      createTime: "create_time",
      state: "state",
      actor: "actor",
      requestId: "request_id",
    }),
    orphans: new SqliteCollection<Orphan>(access, "orphans"),
    claims: new SqliteCollection<ClusterClaim>(access, "claims"),
    leases: new SqliteCollection<Lease>(access, "leases"),
    installations: new SqliteCollection<Installation>(access, "installations"),
    events,
    get commits() {
      return commit.commits;
    },
    async close() {
      if (!open) return;
      await commit.close();
      open = false;
      events.close();
      database.close();
    },
  };
}
