/** The records of the audit, and the marks of its two ends. */
export const audit: readonly string[] = [
  `CREATE TABLE audit (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    time INTEGER,
    actor TEXT,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX audit_time ON audit (time, name)`,
  `CREATE INDEX audit_actor ON audit (actor, time, name)`,
  `CREATE TABLE audit_marks (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
