/** Static tokens. */
export const tokens: readonly string[] = [
  `CREATE TABLE tokens (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
