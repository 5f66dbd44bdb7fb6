/** Sinks of the event log, and the events that could not be delivered to them. */
export const eventSinks: readonly string[] = [
  `CREATE TABLE event_sinks (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE dead_letters (
    name TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    resend_time INTEGER,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX dead_letters_resend_time ON dead_letters (resend_time, name)`,
];
