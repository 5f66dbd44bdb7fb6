import type { DatabaseSync } from "node:sqlite";
import { MpcError } from "@mpc/domain";
import { initial } from "./migrations/0001_initial.ts";
import { labelsAndState } from "./migrations/0002_labels_and_state.ts";
import { clusterAndSpecParts } from "./migrations/0003_cluster_and_spec_parts.ts";
import { installations } from "./migrations/0004_installations.ts";
import { claims } from "./migrations/0005_claims.ts";
import { openings } from "./migrations/0006_openings.ts";
import { leases } from "./migrations/0007_leases.ts";
import { tokens } from "./migrations/0008_tokens.ts";
import { audit } from "./migrations/0009_audit.ts";
import { eventSinks } from "./migrations/0011_event_sinks.ts";
import { operationEngine } from "./migrations/0010_operation_engine.ts";

/** In order. The `user_version` of a database is the number of migrations that it has had. */
const MIGRATIONS: readonly (readonly string[])[] = [
  initial,
  labelsAndState,
  clusterAndSpecParts,
  installations,
  claims,
  openings,
  leases,
  tokens,
  audit,
  operationEngine,
  eventSinks,
];

/**
 * Migrates a database to the schema of this program, each migration in its own transaction. If
 * several processes open the database at once, one of them runs each migration.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_TOO_NEW`
 */
export function migrate(database: DatabaseSync, path: string): void {
  const version = assertKnownSchema(database, path);
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec("BEGIN IMMEDIATE");
    try {
      if (versionOf(database) === index) {
        for (const statement of statements) database.exec(statement);
        database.exec(`PRAGMA user_version = ${index + 1}`);
      }
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}

/**
 * The schema that a database has.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_TOO_NEW`
 */
export function assertKnownSchema(database: DatabaseSync, path: string): number {
  const version = versionOf(database);
  if (version <= MIGRATIONS.length) return version;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_TOO_NEW",
    message:
      `Cannot open '${path}': a newer version wrote it (schema ${version}), this one knows schema ${MIGRATIONS.length}; update, or choose another --data-dir`,
    metadata: { found: String(version), known: String(MIGRATIONS.length) },
  });
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
