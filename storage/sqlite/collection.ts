import type { DatabaseSync, StatementSync } from "node:sqlite";
import { nameTaken, noSuchDocument, throwIfAborted, versionConflict } from "../shared/errors.ts";
import { scalarAt } from "@mpc/domain";
import { cursorOf } from "../shared/order.ts";
import type { Collection, ListQuery, Page, ReadOptions, Stored, WriteOptions } from "../store.ts";
import type { Columns, Sql } from "./filter_sql.ts";
import type { GroupCommit } from "./group_commit.ts";
import { conditionSql, listSql } from "./list_sql.ts";
import { damaged } from "./errors.ts";
import type { DatabaseHealth } from "./health.ts";
import { ParsedDocuments } from "./parsed_documents.ts";

/** The parts of the store that its collections share. */
export interface SqliteAccess {
  readonly database: DatabaseSync;
  readonly commit: GroupCommit;
  readonly health: DatabaseHealth;
  /** @throws `UNAVAILABLE` where the handle is closed, or its files are gone */
  readonly assertReadable: () => void;
}

const MAX_PREPARED = 64;

/** Documents of one kind in one table. */
export class SqliteCollection<T extends { readonly name: string }> implements Collection<T> {
  protected readonly access: SqliteAccess;
  readonly #table: string;
  readonly #columns: Columns;
  readonly #insert: string;
  readonly #update: string;
  readonly #updateBody: string;
  readonly #sameColumns: string | undefined;
  readonly #put: string;
  readonly #get: string;
  readonly #parsed = new ParsedDocuments<T>();
  readonly #prepared = new Map<string, StatementSync>();

  constructor(access: SqliteAccess, table: string, columns: Columns = {}) {
    this.access = access;
    this.#table = table;
    this.#columns = columns;
    const names = Object.values(columns);
    this.#insert = `INSERT INTO ${table} (name, version, body${names.map((n) => `, ${n}`).join("")})
      VALUES (?, 1, ?${names.map(() => ", ?").join("")})`;
    this.#update = `UPDATE ${table} SET version = version + 1, body = ?${
      names.map((n) => `, ${n} = ?`).join("")
    } WHERE name = ? AND version = ?`;
    this.#updateBody = `UPDATE ${table} SET version = version + 1, body = ?
      WHERE name = ? AND version = ?`;
    this.#put = `INSERT INTO ${table} (name, version, body${names.map((n) => `, ${n}`).join("")})
      VALUES (?, ?, ?${names.map(() => ", ?").join("")})
      ON CONFLICT (name) DO UPDATE SET ${
      ["version", "body", ...names].map((n) => `${n} = excluded.${n}`).join(", ")
    }`;
    this.#get = `SELECT name, version, body FROM ${table} WHERE name = ?`;
    this.#sameColumns = names.length === 0 ? undefined : `SELECT 1 FROM ${table}
      WHERE name = ? AND ${names.map((n) => `${n} IS ?`).join(" AND ")}`;
  }

  create(value: T, options: WriteOptions = {}): Promise<Stored<T>> {
    const body = JSON.stringify(value);
    return this.#write(options, () => {
      if (this.#version(value.name) !== undefined) throw nameTaken(value.name);
      this.insert(value, body);
      return { value: JSON.parse(body), version: 1 };
    });
  }

  get(name: string, options: ReadOptions = {}): Promise<Stored<T> | undefined> {
    return this.read(options, () => this.row({ text: this.#get, values: [name] }));
  }

  list(query: ListQuery): Promise<Page<T>> {
    return this.read(query, () => {
      const { text, values } = listSql(this.#table, query, this.#columns);
      const rows = this.prepare(text).all(...values).map((row) => this.#stored(row));
      const items = rows.slice(0, query.limit);
      const last = items.at(-1);
      const more = rows.length > query.limit && last;
      return { items, next: more ? cursorOf(last.value, query.orderBy ?? []) : null };
    });
  }

  count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number> {
    return this.read(query, () => {
      const { text, values } = conditionSql(query, this.#columns);
      const row = this.prepare(`SELECT count(*) AS count FROM ${this.#table} WHERE ${text}`)
        .get(...values);
      return Number(row?.["count"]);
    });
  }

  replace(value: T, version: number, options: WriteOptions = {}): Promise<Stored<T>> {
    const body = JSON.stringify(value);
    return this.#write(options, () => {
      const { changes } = this.#change(value, version, body);
      if (changes !== 1) this.#refuse(value.name, version);
      return { value: JSON.parse(body), version: version + 1 };
    });
  }

  delete(name: string, version: number, options: WriteOptions = {}): Promise<void> {
    return this.#write(options, () => {
      const { changes } = this.prepare(
        `DELETE FROM ${this.#table} WHERE name = ? AND version = ?`,
      ).run(name, version);
      if (changes !== 1) this.#refuse(name, version);
    });
  }

  load(documents: readonly Stored<T>[]): Promise<void> {
    return this.#write({}, () => {
      for (const { value, version } of documents) {
        this.prepare(this.#put).run(
          value.name,
          version,
          JSON.stringify(value),
          ...this.#indexed(value),
        );
      }
    });
  }

  protected insert(value: T, body: string): void {
    this.prepare(this.#insert).run(value.name, body, ...this.#indexed(value));
  }

  /** Reads one document. */
  protected row({ text, values }: Sql): Stored<T> | undefined {
    const row = this.prepare(text).get(...values);
    return row && this.#stored(row, (body) => this.#parsed.parse(String(row["name"]), body));
  }

  /** Not `async`: it is much of what a read costs, and the query itself does not wait. */
  protected read<R>({ signal }: ReadOptions, query: () => R): Promise<R> {
    try {
      throwIfAborted(signal);
      this.access.assertReadable();
      return Promise.resolve(query());
    } catch (error) {
      return Promise.reject(this.access.health.explain(error));
    }
  }

  /** Prepares each statement once; only filters make many different texts. */
  protected prepare(text: string): StatementSync {
    let statement = this.#prepared.get(text);
    if (!statement) {
      if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
      statement = this.access.database.prepare(text);
      this.#prepared.set(text, statement);
    }
    return statement;
  }

  #write<R>({ signal, events = [] }: WriteOptions, run: () => R): Promise<R> {
    return this.access.commit.write({ signal, events, run });
  }

  /** Skips unchanged columns: writing one would also write a page of its index. */
  #change(value: T, version: number, body: string) {
    const indexed = this.#indexed(value);
    const same = this.#sameColumns === undefined ||
      this.prepare(this.#sameColumns).get(value.name, ...indexed) !== undefined;
    return same
      ? this.prepare(this.#updateBody).run(body, value.name, version)
      : this.prepare(this.#update).run(body, ...indexed, value.name, version);
  }

  #indexed(value: T): (string | number | null)[] {
    return Object.keys(this.#columns).map((key) => {
      const whole: unknown = Reflect.get(value, key);
      if (typeof whole === "object" && whole !== null) return JSON.stringify(whole);
      const found = scalarAt(value, [key]);
      return typeof found === "boolean" ? Number(found) : found;
    });
  }

  #version(name: string): number | undefined {
    const row = this.prepare(`SELECT version FROM ${this.#table} WHERE name = ?`).get(name);
    return row && Number(row["version"]);
  }

  #refuse(name: string, version: number): never {
    const found = this.#version(name);
    throw found === undefined ? noSuchDocument(name) : versionConflict(name, version, found);
  }

  #stored(row: Record<string, unknown>, parse: (body: string) => T = JSON.parse): Stored<T> {
    try {
      return { value: parse(String(row["body"])), version: Number(row["version"]) };
    } catch (cause) {
      throw damaged(String(row["name"]), this.#table, cause);
    }
  }
}
