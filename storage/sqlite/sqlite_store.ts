import type { Environment, Orphan, Revision, Workload } from "@mpc/domain";
import type { Store } from "../store.ts";
import { GroupCommit } from "./group_commit.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open_database.ts";
import { SqliteCollection } from "./sqlite_collection.ts";
import { storeError } from "./sqlite_errors.ts";
import { SqliteEventLog } from "./sqlite_event_log.ts";
import { SqliteOperations } from "./sqlite_operations.ts";

/**
 * Opens the store in a SQLite file, creating or migrating it.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE`, `STORE_NOT_WRITABLE` or `STORE_TOO_NEW`;
 *   DATA_LOSS `STORE_CORRUPT`
 */
export function openSqliteStore(options: { readonly path: string }): Store {
  const database = openDatabase(options.path);
  try {
    migrate(database, options.path);
  } catch (error) {
    database.close();
    throw storeError(error);
  }
  let open = true;
  const isOpen = () => open;
  const events: SqliteEventLog = new SqliteEventLog(database, () => commit, isOpen);
  const commit = new GroupCommit({
    database,
    append: (written) => events.push(written),
    onDurable: (written) => events.durable(written),
    onRollback: () => events.rolledBack(),
  });
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
