/** Finds the operations of one engine that are in one state, in order of time. */
export const operationEngine: readonly string[] = [
  "ALTER TABLE operations ADD COLUMN engine TEXT",
  "UPDATE operations SET engine = json_extract(body, '$.engine')",
  "CREATE INDEX operations_engine ON operations (engine, state, create_time, name)",
];
