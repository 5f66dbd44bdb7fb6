import { DatabaseSync } from "node:sqlite";
import { MpcError } from "@mpc/domain";
import type { SimulatedObject } from "./cluster_state.ts";

/**
 * The simulated cluster's objects, in memory and in a file beside the database.
 *
 * A change is with the operating system before it is answered, so it survives the process like a
 * real cluster would. It is not flushed to disk each time: that is what the platform's own records
 * are for.
 */
export class StateFile {
  readonly #objects = new Map<string, SimulatedObject>();
  readonly #byEnvironment = new Map<string, Set<string>>();
  readonly #attempts = new Map<string, number>();
  readonly #database: DatabaseSync | undefined;

  /** @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE` */
  constructor(path: string | null) {
    if (path === null) return;
    try {
      this.#database = new DatabaseSync(path);
      this.#database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL");
      this.#database.exec("PRAGMA synchronous = NORMAL");
      this.#database.exec(
        "CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT",
      );
      for (const row of this.#database.prepare("SELECT key, body FROM objects").all()) {
        this.#keep(String(row["key"]), JSON.parse(String(row["body"])));
      }
    } catch (error) {
      this.#database?.close();
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "SIMULATION_UNREADABLE",
        message:
          `Cannot open the simulated cluster at '${path}': it cannot be read or written; remove the file to start with an empty cluster`,
        cause: error,
      });
    }
  }

  get(key: string): SimulatedObject | undefined {
    return this.#objects.get(key);
  }

  entries(): readonly (readonly [string, SimulatedObject])[] {
    return [...this.#objects];
  }

  /** Names of all environments that have anything. */
  environments(): readonly string[] {
    return [...this.#byEnvironment.keys()];
  }

  /** What belongs to one environment. */
  entriesOf(environment: string): readonly (readonly [string, SimulatedObject])[] {
    return [...this.#byEnvironment.get(environment) ?? []].flatMap((key) => {
      const object = this.#objects.get(key);
      return object ? [[key, object] as const] : [];
    });
  }

  put(key: string, object: SimulatedObject): void {
    this.#database?.prepare("INSERT OR REPLACE INTO objects (key, body) VALUES (?, ?)")
      .run(key, JSON.stringify(object));
    this.#keep(key, object);
  }

  remove(key: string): void {
    this.#database?.prepare("DELETE FROM objects WHERE key = ?").run(key);
    this.#objects.delete(key);
    const environment = environmentOf(key);
    const keys = this.#byEnvironment.get(environment);
    keys?.delete(key);
    if (keys?.size === 0) this.#byEnvironment.delete(environment);
  }

  /** Counts how often something was tried in this process, from 1. */
  countAttempt(key: string): number {
    const count = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, count);
    return count;
  }

  close(): void {
    this.#database?.close();
  }

  #keep(key: string, object: SimulatedObject): void {
    this.#objects.set(key, object);
    const environment = environmentOf(key);
    const keys = this.#byEnvironment.get(environment) ?? new Set();
    this.#byEnvironment.set(environment, keys.add(key));
  }
}

const environmentOf = (key: string): string => key.split("/")[0] ?? "";
