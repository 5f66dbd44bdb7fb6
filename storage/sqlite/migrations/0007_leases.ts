/** What only one process does at a time. */
export const leases: readonly string[] = [
  `CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
