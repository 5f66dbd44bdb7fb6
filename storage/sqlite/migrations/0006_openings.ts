/** A mark of the processes that have the database open, by which they know it from another one. */
export const openings: readonly string[] = [
  `CREATE TABLE openings (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL) STRICT`,
  `INSERT INTO openings (id, mark) VALUES (1, '')`,
];
