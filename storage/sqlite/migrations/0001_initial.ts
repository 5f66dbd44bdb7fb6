/**
 * Documents as JSON, one table for each kind, and the log. Fields that lists often use have columns,
 * which are cheaper to index than expressions over the JSON.
 */
export const initial: readonly string[] = [
  ...[
    ["environments", "expire_time INTEGER, current_operation TEXT,"],
    ["workloads", "current_operation TEXT,"],
    ["revisions", "number INTEGER,"],
    ["operations", "create_time INTEGER, state TEXT, actor TEXT, request_id TEXT,"],
    ["orphans", ""],
  ].map(([table, columns]) =>
    `CREATE TABLE ${table} (
      name TEXT PRIMARY KEY NOT NULL,
      version INTEGER NOT NULL,
      ${columns}
      body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`
  ),
  `CREATE TABLE events (sequence INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL) STRICT`,
  `CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), compacted INTEGER NOT NULL) STRICT`,
  `INSERT INTO log (id, compacted) VALUES (1, 0)`,
  `CREATE UNIQUE INDEX operations_request ON operations (actor, request_id)
    WHERE request_id IS NOT NULL`,
  `CREATE INDEX operations_create_time ON operations (create_time, name)`,
  `CREATE INDEX operations_state ON operations (state, name)`,
  `CREATE INDEX environments_expire_time ON environments (expire_time, name)`,
  `CREATE INDEX environments_current ON environments (current_operation, name)`,
  `CREATE INDEX workloads_current ON workloads (current_operation, name)`,
];
