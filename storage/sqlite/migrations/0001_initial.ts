/** Documents as JSON, one table a kind, with indexes on what is listed often; and the log. */
export const initial: readonly string[] = [
  ...["environments", "workloads", "revisions", "operations", "orphans"].map((table) =>
    `CREATE TABLE ${table} (
      name TEXT PRIMARY KEY NOT NULL,
      version INTEGER NOT NULL,
      body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`
  ),
  `CREATE TABLE events (sequence INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL) STRICT`,
  `CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), compacted INTEGER NOT NULL) STRICT`,
  `INSERT INTO log (id, compacted) VALUES (1, 0)`,
  `CREATE UNIQUE INDEX operations_request ON operations (
    json_extract(body, '$.actor'), json_extract(body, '$.requestId')
  ) WHERE json_extract(body, '$.requestId') IS NOT NULL`,
  `CREATE INDEX operations_create_time ON operations (json_extract(body, '$.createTime'), name)`,
  `CREATE INDEX operations_state ON operations (json_extract(body, '$.state'), name)`,
  `CREATE INDEX environments_expire_time
    ON environments (json_extract(body, '$.expireTime'), name)`,
  `CREATE INDEX environments_current
    ON environments (json_extract(body, '$.currentOperation'), name)`,
  `CREATE INDEX workloads_current ON workloads (json_extract(body, '$.currentOperation'), name)`,
];
