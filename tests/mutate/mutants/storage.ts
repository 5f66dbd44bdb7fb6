/** Both stores, with the contract, and the live tail. */
import { type Mutant, mutantsOf } from "../mutant.ts";

const MEMORY = ["storage/memory/store_test.ts"];
const SQLITE = ["storage/sqlite/store_test.ts"];

export const STORAGE: readonly Mutant[] = [
  ...mutantsOf("storage/memory/collection.ts", MEMORY, [
    [
      "swaps any version",
      "if (found.version !== version) throw versionConflict(name, version, found.version);",
      "",
    ],
    [
      "creates over an existing document",
      "if (this.#documents.has(value.name)) throw nameTaken(value.name);",
      "",
    ],
    [
      "keeps the caller's own object",
      "const kept = structuredClone(stored);",
      "const kept = stored;",
    ],
    ["hands out its own object", "return structuredClone(query());", "return query();"],
    [
      "returns a cursor on the last page",
      "if (items.length === query.limit) return { items, next: last };\n        items.push(stored);\n        last = place;",
      "items.push(stored);\n        last = place;\n        if (items.length === query.limit) return { items, next: last };",
    ],
    [
      "does not check for an abort after its turn",
      "    await Promise.resolve();\n    throwIfAborted(signal);",
      "    await Promise.resolve();",
    ],
    [
      "forgets a document's event when it is deleted",
      "    this.changed(value, undefined);\n    this.#store.commit(options.events);",
      "    this.changed(value, undefined);\n    this.#store.commit(undefined);",
    ],
  ]),
  ...mutantsOf("storage/memory/operations.ts", MEMORY, [
    [
      "allows one request id for two operations",
      `if (key && this.#byRequest.has(key)) throw requestIdTaken(value.requestId ?? "");`,
      "",
    ],
    [
      "shares request ids among actors",
      "JSON.stringify([actor, requestId])",
      "JSON.stringify([actor && requestId])",
    ],
    ["never frees a request id", "if (old) this.#byRequest.delete(old);", ""],
  ]),
  ...mutantsOf(
    "storage/memory/sorted_index.ts",
    ["storage/memory/sorted_index_test.ts", ...MEMORY],
    [
      [
        "begins a page with the end of the previous one",
        "if (this.#compare(first, start) === 0) at++;",
        "",
      ],
    ],
  ),
  ...mutantsOf("storage/memory/event_log.ts", MEMORY, [
    ["removes events with exactly the given time", "event.time >= time", "event.time > time"],
    [
      "reuses a sequence after a compaction",
      "return this.#events.at(-1)?.sequence ?? this.#compacted;",
      "return this.#events.at(-1)?.sequence ?? 0;",
    ],
    [
      "reads across a compaction without an error",
      "if (after < this.#compacted) throw eventsCompacted(after, this.#compacted);",
      "",
    ],
  ]),
  ...mutantsOf("storage/shared/order.ts", MEMORY, [
    [
      "sorts names ascending in a descending order",
      "return nameDescends(orderBy) ? -order : order;",
      "return order;",
    ],
    ["sorts keys ascending", "return key.descending ? -order : order;", "return order;"],
  ]),
  ...mutantsOf("domain/filter_matches.ts", MEMORY, [
    ["excludes equality from <=", "return order <= 0", "return order < 0"],
    ["includes equality in >", "order > 0 :", "order >= 0 :"],
    [
      "confuses a wildcard at the end with one at the start",
      `case "start":
      return found.endsWith(text);`,
      `case "start":
      return found.startsWith(text);`,
    ],
  ]),
  ...mutantsOf("domain/compare_values.ts", ["domain/compare_values_test.ts"], [
    ["compares UTF-16 units", "leftHigh === rightHigh ? left - right", "true ? left - right"],
  ]),
  ...mutantsOf("storage/sqlite/collection.ts", SQLITE, [
    [
      "swaps any version",
      "body = ?\n      WHERE name = ? AND version = ?`;",
      "body = ?\n      WHERE name = ? AND version >= ? - 1000`;",
    ],
    [
      "deletes any version",
      "`DELETE FROM ${this.#table} WHERE name = ? AND version = ?`,",
      "`DELETE FROM ${this.#table} WHERE name = ? AND version <> -?`,",
    ],
    [
      "reports no conflict",
      "if (changes !== 1) this.#refuse(value.name, version);",
      "",
    ],
    ["does not update columns", "return same\n      ?", "return true\n      ?"],
    ["never sees that there are more", "rows.length > query.limit && last", "false && last"],
  ]),
  ...mutantsOf("storage/sqlite/operations.ts", SQLITE, [
    [
      "shares request ids among actors",
      "actor = ? AND request_id = ?",
      "? <> '' AND request_id = ?",
    ],
  ]),
  ...mutantsOf(
    "storage/sqlite/group_commit.ts",
    ["storage/sqlite/group_commit_test.ts", "storage/sqlite/health_test.ts", ...SQLITE],
    [
      ["acknowledges into files that are gone", "      this.#health.assertInPlace();\n", ""],
      ["makes an aborted write", "          throwIfAborted(write.signal);\n", ""],
      [
        "undoes the other writes of a transaction with a rejected one",
        "if (!isMpcError(error)) throw error;",
        "throw error;",
      ],
      [
        "returns without a commit",
        `exec("COMMIT")`,
        `exec("ROLLBACK")`,
      ],
      [
        "accepts writes after it has closed",
        "if (this.#closed) return Promise.reject(storeClosed());",
        "",
      ],
      ["never waits for another process", "isBusy(error) && this.#mayWait()", "false"],
      [
        "loses the writes after a full batch",
        "this.#jobs.splice(0, MAX_BATCH)",
        "this.#jobs.splice(0).slice(0, MAX_BATCH)",
      ],
    ],
  ),
  ...mutantsOf("storage/sqlite/health.ts", ["storage/sqlite/health_test.ts"], [
    ["takes another file for its own", "found && identityOf(found) === identity", "found"],
    [
      "takes another content for its own",
      "if (!hasMark(this.#path, this.#mark)) return false;",
      "",
    ],
    ["forgets the log that was deleted", "this.#saveLog();\n    throw", "{}\n    throw"],
    ["writes a damaged database", "if (this.#corrupt !== undefined) throw", "if (false) throw"],
  ]),
  ...mutantsOf("storage/tools/copy_store.ts", ["storage/tools/copy_store_test.ts"], [
    ["copies under running operations", "  if (!first) return;\n", "  if (1) return;\n"],
    [
      "begins again after an interruption",
      "documentsOf(from, last?.value.name)",
      "documentsOf(from, last && undefined)",
    ],
    [
      "compares counts alone",
      "if (copy.checksum === checksum) return [];",
      "if (copy.count === count) return [];",
    ],
    [
      "leaves a copy that differs as complete",
      "await putInstallation(to, unfinished(installation));\n    throw",
      "throw",
    ],
  ]),
  ...mutantsOf("storage/sqlite/list_sql.ts", SQLITE, [
    ["reads no row more than the page", "limit + 1]", "limit]"],
    ["skips missing values that come last", "OR ${text} IS NULL OR", "OR"],
    [
      "begins a page of names with the end of the previous one",
      `down ? "<" : ">"} (\${marks})`,
      `down ? "<=" : ">="} (\${marks})`,
    ],
    [
      "lists names beyond the prefix",
      "name >= ? AND name < ?",
      "name >= ? AND name <> ?",
    ],
  ]),
  ...mutantsOf("storage/sqlite/filter_sql.ts", SQLITE, [
    [
      "excludes missing values from NOT",
      "COALESCE(substr(${text}, 1, length(?)) = ?, 0)",
      "substr(${text}, 1, length(?)) = ?",
    ],
    ["joins the terms of an OR with AND", `filter.op === "and" ? " AND " : " OR "`, `" AND "`],
  ]),
  ...mutantsOf("storage/sqlite/event_log.ts", SQLITE, [
    [
      "checks the compaction before it reads",
      "      const events = this.#select.all(after, limit).map(eventOf);\n      const compacted = this.#compacted();\n      if (after < compacted) throw eventsCompacted(after, compacted);",
      "      const events = this.#select.all(after, limit).map(eventOf);",
    ],
    [
      "does not store how far it was compacted",
      "SET compacted = max(compacted, ?)",
      "SET compacted = max(compacted, ? - 1)",
    ],
    [
      "never sees what another process commits",
      "version === undefined || version !== seen",
      "version === undefined",
    ],
  ]),
  ...mutantsOf("storage/shared/live_tail.ts", ["storage/shared/live_tail_test.ts"], [
    [
      "considers the edge of the window outside",
      "after < this.#recentAfter) return undefined",
      "after <= this.#recentAfter) return undefined",
    ],
    [
      "considers an event just outside the window inside",
      "after < this.#recentAfter) return undefined",
      "after < this.#recentAfter - 1) return undefined",
    ],
    [
      "subscribes after its read",
      "        const changed = this.#changed.promise;\n        const events = this.#recentSince(cursor) ?? await this.#options.read(cursor, BATCH);",
      "        const events = this.#recentSince(cursor) ?? await this.#options.read(cursor, BATCH);\n        const changed = this.#changed.promise;",
    ],
    [
      "keeps the window over a gap",
      "if (this.#recent.at(-1)?.sequence !== after) {",
      "if (this.#recent.length === 0) {",
    ],
    [
      "goes on for a reader that was aborted",
      "    for (const event of events) {\n      if (signal.aborted) return;\n",
      "    for (const event of events) {\n",
    ],
    [
      "stops watching with the first follower that leaves",
      "if (--this.#followers === 0) this.#stopWatching();",
      "this.#followers--;\n      this.#stopWatching();",
    ],
    [
      "never stops watching",
      "if (--this.#followers === 0) this.#stopWatching();",
      "this.#followers--;",
    ],
    [
      "does not wake its followers when it closes",
      "    this.#stopWatching();\n    this.#wake();",
      "    this.#stopWatching();",
    ],
    [
      "moves the window's edge one too far when it trims",
      "this.#recent.at(-RECENT_EVENTS - 1)!.sequence",
      "this.#recent.at(-RECENT_EVENTS)!.sequence",
    ],
    [
      "serves events across a removal from the log",
      "    this.#recentAfter = upTo;\n",
      "",
    ],
  ]),
];
