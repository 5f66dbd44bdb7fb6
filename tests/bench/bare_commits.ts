import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The cost of durable commits alone: a document and an event, as the store writes them. */
export class BareCommits {
  readonly #database: DatabaseSync;
  readonly #document;
  readonly #event;
  readonly #body: string;
  #count = 0;

  constructor(directory: string, bytes: number) {
    this.#database = new DatabaseSync(join(directory, `bare-${bytes}.db`));
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    this.#database.exec("PRAGMA locking_mode = EXCLUSIVE");
    this.#database.exec(
      "CREATE TABLE documents (name TEXT PRIMARY KEY, version INTEGER, body TEXT) STRICT, WITHOUT ROWID",
    );
    this.#database.exec("CREATE TABLE events (sequence INTEGER PRIMARY KEY, body TEXT) STRICT");
    this.#document = this.#database.prepare("INSERT OR REPLACE INTO documents VALUES (?, 1, ?)");
    this.#event = this.#database.prepare("INSERT INTO events VALUES (?, ?)");
    this.#body = JSON.stringify("x".repeat(bytes));
  }

  /** Makes one durable commit. */
  commit(): void {
    this.#count++;
    this.#database.exec("BEGIN IMMEDIATE");
    this.#document.run(`d-${this.#count % 1_000}`, this.#body);
    this.#event.run(this.#count, this.#body);
    this.#database.exec("COMMIT");
  }

  close(): void {
    this.#database.close();
  }
}
