import type { DatabaseSync } from "node:sqlite";
import type { Columns } from "./filter_sql.ts";

/** The fields of documents that have a column of their own, by table. */
export const COLUMNS = {
  environments: {
    expireTime: "expire_time",
    currentOperation: "current_operation",
    state: "state",
    labels: "labels",
  },
  workloads: { currentOperation: "current_operation", state: "state", labels: "labels" },
  revisions: { number: "number" },
  operations: {
    createTime: "create_time",
    state: "state",
    actor: "actor",
    engine: "engine",
    requestId: "request_id",
  },
  orphans: {},
  claims: {},
  leases: {},
  tokens: {},
  installations: {},
  audit: { time: "time", actor: "actor" },
  audit_marks: {},
  event_sinks: {},
  dead_letters: { resendTime: "resend_time" },
} as const satisfies Readonly<Record<string, Columns>>;

/** The readable rows whose columns are not what their documents say, as `table: name`. */
export function misfiledRows(database: DatabaseSync): readonly string[] {
  return Object.entries<Columns>(COLUMNS).flatMap(([table, columns]) => {
    const fields = Object.entries({ ...columns, name: "name" });
    const differs = fields.map(([field, column]) =>
      `${column} IS NOT json_extract(body, '$.${field}')`
    );
    return database.prepare(
      `SELECT name FROM ${table} WHERE json_valid(body) AND (${
        differs.join(" OR ")
      }) ORDER BY name`,
    ).all().map((row) => `${table}: ${row["name"]}`);
  });
}
