/** The claims of the control plane to its clusters. */
export const claims: readonly string[] = [
  `CREATE TABLE claims (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
