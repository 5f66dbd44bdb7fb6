import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { isMpcError, MpcError } from "@mpc/domain";
import type { SimulatedObject } from "./simulated_objects.ts";
import { stateUnavailable } from "./simulated_errors.ts";

/** How long opening waits for other processes that open the same new file. */
const OPEN_TIMEOUT_MS = 1_000;

const OPEN_RETRY_MS = 5;

/** Adds the fields that intents of older versions lack. */
const ADD_MISSING_FIELDS = `UPDATE objects SET body = CASE json_extract(body, '$.kind')
  WHEN 'namespace' THEN json_insert(body, '$.intent.cluster', 'default')
  ELSE json_insert(body, '$.intent.spec.envFrom', json('[]'), '$.intent.spec.volumes', json('[]'),
    '$.intent.spec.livenessCheck', json('null'), '$.intent.spec.ingress', json('null'),
    '$.intent.spec.autoscaling', json('null'), '$.intent.spec.disruptionBudget', json('null'))
  END; PRAGMA user_version = 1`;

/**
 * The objects of the simulated cluster, in a SQLite file or in memory. Several processes may share a
 * file, so every call reads it again.
 *
 * A change reaches the operating system before the call returns, so it survives a crash of the
 * process. It is not flushed to disk, because only the platform's own records need that.
 *
 * Every call may fail with `UNAVAILABLE` `CLUSTER_UNREACHABLE`.
 */
export class StateFile {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * @param path null for memory
   * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`
   */
  constructor(path: string | null) {
    try {
      this.#database = open(path ?? ":memory:");
    } catch (error) {
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "SIMULATION_UNREADABLE",
        message:
          `Cannot open the simulated cluster at '${path}': it cannot be read or written; remove the file to start with an empty cluster`,
        cause: error,
      });
    }
  }

  get(key: string): SimulatedObject | undefined {
    return this.#objects("SELECT key, body FROM objects WHERE key = ?", key)[0]?.[1];
  }

  all(): readonly SimulatedObject[] {
    return this.#objects("SELECT key, body FROM objects ORDER BY key").map(([, object]) => object);
  }

  /** The namespace and the workloads of one environment. */
  entriesOf(environment: string): readonly (readonly [string, SimulatedObject])[] {
    return this.#objects(
      "SELECT key, body FROM objects WHERE key = ? OR (key > ? AND key < ?)",
      environment,
      `${environment}/`,
      `${environment}0`,
    );
  }

  put(key: string, object: SimulatedObject): void {
    const body = JSON.stringify(object);
    this.#rows("INSERT OR REPLACE INTO objects (key, body) VALUES (?, ?)", key, body);
  }

  remove(key: string): void {
    this.#rows("DELETE FROM objects WHERE key = ?", key);
    this.#rows("DELETE FROM attempts WHERE key > ? AND key < ?", `${key}/`, `${key}0`);
  }

  /** Counts attempts, from 1. The count is deleted with the object. */
  countAttempt(key: string, what: string): number {
    const [row] = this.#rows(
      `INSERT INTO attempts (key, count) VALUES (?, 1)
       ON CONFLICT (key) DO UPDATE SET count = count + 1 RETURNING count`,
      `${key}/${what}`,
    );
    return Number(row?.["count"]);
  }

  /** The mark of the store that claims the cluster; empty for none. */
  mark(): string {
    return String(this.#rows("SELECT text FROM marks WHERE key = 'claim'")[0]?.["text"] ?? "");
  }

  setMark(text: string): void {
    this.#rows("INSERT OR REPLACE INTO marks (key, text) VALUES ('claim', ?)", text);
  }

  /**
   * Reads and changes objects in one transaction, also across processes. Changes before an
   * `MpcError` of `body` are kept; any other error rolls them back.
   */
  atomically<R>(body: () => R): R {
    if (this.#database.isTransaction) return body();
    let result: { readonly value: R } | { readonly refusal: MpcError };
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        result = { value: body() };
      } catch (error) {
        if (!isMpcError(error)) throw error;
        result = { refusal: error };
      }
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw stateUnavailable(error);
    }
    if ("refusal" in result) throw result.refusal;
    return result.value;
  }

  /** Changes when another process has changed something. */
  version(): number {
    return Number(this.#rows("PRAGMA data_version")[0]?.["data_version"]);
  }

  close(): void {
    this.#database.close();
  }

  #objects(
    text: string,
    ...values: SQLInputValue[]
  ): readonly (readonly [string, SimulatedObject])[] {
    return this.#rows(text, ...values).map((row) => [
      String(row["key"]),
      JSON.parse(String(row["body"])),
    ]);
  }

  #rows(text: string, ...values: SQLInputValue[]): readonly Record<string, unknown>[] {
    try {
      const statement = this.#prepared.get(text) ?? this.#database.prepare(text);
      this.#prepared.set(text, statement);
      return statement.all(...values);
    } catch (error) {
      throw this.#database.isTransaction ? error : stateUnavailable(error);
    }
  }
}

function open(path: string): DatabaseSync {
  for (const end = performance.now() + OPEN_TIMEOUT_MS;;) {
    const database = new DatabaseSync(path);
    try {
      database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = NORMAL");
      for (
        const [table, column] of [
          ["objects", "body TEXT"],
          ["attempts", "count INTEGER"],
          ["marks", "text TEXT"],
        ]
      ) {
        database.exec(
          `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, ${column} NOT NULL) STRICT`,
        );
      }
      const [version] = database.prepare("PRAGMA user_version").all();
      if (version?.["user_version"] === 0) database.exec(ADD_MISSING_FIELDS);
      return database;
    } catch (error) {
      database.close();
      // The busy timeout does not apply to the lock for switching a new file to WAL.
      const locked = error instanceof Error && error.message.startsWith("database is locked");
      if (!locked || performance.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS);
    }
  }
}
