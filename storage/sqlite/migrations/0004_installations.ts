/** The identity of the control plane that owns the store. */
export const installations: readonly string[] = [
  `CREATE TABLE installations (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
