import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import type { Filter } from "@mpc/domain";
import type { Collection, Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { storeContract } from "../../tests/contract/store_contract.ts";
import {
  anEnvironment,
  anEvent,
  anOperation,
  aSpec,
  aWorkload,
} from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";

const VARIANTS: Readonly<Record<string, (path: string) => Store>> = {
  "sqlite": (path) => openSqliteStore({ path }),
  "sqlite, shared": (path) => openSqliteStore({ path, shared: true }),
  "sqlite, written by one and read by another": (path) =>
    writtenAndRead(
      openSqliteStore({ path, shared: true }),
      openSqliteStore({ path, shared: true }),
    ),
};

for (const [name, openAt] of Object.entries(VARIANTS)) {
  storeContract(name, async () => {
    const directory = await mkdtemp(join(tmpdir(), "mpc-store-"));
    const path = join(directory, "mpc.db");
    let store = openAt(path);
    return {
      get store() {
        return store;
      },
      async reopen() {
        await store.close();
        store = openAt(path);
        return store;
      },
      async close() {
        await store.close();
        await rm(directory, { recursive: true });
      },
    };
  });
}

/** Two openings of one file as a store: one writes, what is read and followed comes by the other. */
function writtenAndRead(writer: Store, reader: Store): Store {
  const collection = <T extends { readonly name: string }>(
    written: Collection<T>,
    read: Collection<T>,
  ): Collection<T> => ({
    create: (value, options) => written.create(value, options),
    replace: (value, version, options) => written.replace(value, version, options),
    delete: (name, version, options) => written.delete(name, version, options),
    get: (name, options) => read.get(name, options),
    list: (query) => read.list(query),
    count: (query) => read.count(query),
  });
  return {
    environments: collection(writer.environments, reader.environments),
    workloads: collection(writer.workloads, reader.workloads),
    revisions: collection(writer.revisions, reader.revisions),
    orphans: collection(writer.orphans, reader.orphans),
    operations: {
      ...collection(writer.operations, reader.operations),
      findByRequestId: (actor, id, options) =>
        reader.operations.findByRequestId(actor, id, options),
    },
    events: {
      append: (events, options) => writer.events.append(events, options),
      compact: (sequence, options) => writer.events.compact(sequence, options),
      head: (options) => reader.events.head(options),
      read: (after, limit, options) => reader.events.read(after, limit, options),
      tail: (after, signal) => reader.events.tail(after, signal),
    },
    get commits() {
      return writer.commits;
    },
    async close() {
      await writer.close();
      await reader.close();
    },
  };
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-store-"));
  try {
    await use(directory);
  } finally {
    await chmod(directory, 0o700);
    await rm(directory, { recursive: true });
  }
}

const open = (path: string, shared = false) =>
  Promise.resolve().then(() => openSqliteStore({ path, shared }));

Deno.test("sqlite: a database that a newer version wrote is refused", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "mpc.db");
    await openSqliteStore({ path }).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 999");
    database.close();
    const error = await rejectsWith(open(path), "FAILED_PRECONDITION", "STORE_TOO_NEW");
    assert.match(error.message, /schema 999.*knows schema \d+/);
  }));

Deno.test("sqlite: a second opening of the same file is refused at once, and free after closing", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "mpc.db");
    const first = openSqliteStore({ path });
    // The lock is one of processes, so the second must be another process.
    const script = `
      import { openSqliteStore } from "@mpc/storage/sqlite";
      try { openSqliteStore({ path: ${JSON.stringify(path)} }); console.log("opened"); }
      catch (error) { console.log(error.reason, error.message); }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", script],
      stdout: "piped",
      stderr: "inherit",
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.match(said, new RegExp(`^STORE_IN_USE .*\\(pid ${Deno.pid}\\)`));
    await first.close();
    await openSqliteStore({ path }).close();
  }));

Deno.test("sqlite: who opens alone and who shares refuse each other, and say who is there", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "mpc.db");
    const alone = openSqliteStore({ path });
    const late = await rejectsWith(open(path, true), "FAILED_PRECONDITION", "STORE_IN_USE");
    assert.match(late.message, new RegExp(`\\(pid ${Deno.pid}\\) has it open for itself alone`));
    await alone.close();
    const shared = [
      openSqliteStore({ path, shared: true }),
      openSqliteStore({ path, shared: true }),
    ];
    for (const store of shared) {
      const lone = await rejectsWith(open(path), "FAILED_PRECONDITION", "STORE_IN_USE");
      assert.match(lone.message, new RegExp(`others? .*share it.*pid ${Deno.pid}`));
      await store.close();
    }
    await openSqliteStore({ path }).close();
  }));

Deno.test("sqlite: a write waits for that of another process, and is UNAVAILABLE after a while", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "mpc.db");
    const store = openSqliteStore({ path, shared: true, busyTimeoutMs: 50 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const late = store.environments.create(anEnvironment("late"));
    assert.equal((await rejectsWith(late, "UNAVAILABLE", "STORE_UNAVAILABLE")).retryable, true);
    const waiting = store.environments.create(anEnvironment("dev"));
    assert.equal(await store.environments.count({}), 0, "readers are not held up");
    other.exec("COMMIT");
    other.close();
    assert.equal((await waiting).version, 1);
    await store.close();
  }));

Deno.test("sqlite: a directory that is not there, and a file that is no database, are refused", () =>
  withDirectory(async (directory) => {
    await rejectsWith(
      open(join(directory, "no", "mpc.db")),
      "FAILED_PRECONDITION",
      "STORE_NOT_WRITABLE",
    );
    const path = join(directory, "text.db");
    await writeFile(path, "this is no database".repeat(100));
    const { message } = await rejectsWith(open(path), "DATA_LOSS", "STORE_CORRUPT");
    assert.ok(message.includes(`'${path}'`), `a person has to know which file it is: ${message}`);
  }));

Deno.test("sqlite: writes of one turn share a commit, and one refusal harms no neighbour", () =>
  withDirectory(async (directory) => {
    const store = openSqliteStore({ path: join(directory, "mpc.db") });
    await store.environments.create(anEnvironment("taken"));
    const before = store.commits;
    const writes = ["a", "taken", "b"].map((id) =>
      store.environments.create(anEnvironment(id), { events: [anEvent(id)] })
    );
    const results = await Promise.allSettled(writes);
    assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assert.equal(store.commits - before, 1, "three writes of one turn take one commit");
    assert.deepEqual((await store.events.read(0, 9)).map(({ message }) => message), ["a", "b"]);
    await store.close();
  }));

const comparators = ["=", "!=", "<", "<=", ">", ">=", ":"] as const;

/** Comparisons as the parser makes them: a field is compared with values of its type. */
const comparison: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    op: fc.constantFrom(...comparators),
    path: fc.constantFrom(["state"], ["labels", "a/b"], ["labels", "team"], ["nothing"]),
    value: fc.constantFrom("READY", "R*", "*Y", "*EAD*", "*", "web", "é", "\u{1f600}", "", "a"),
  }),
  fc.record({
    op: fc.constantFrom(...comparators),
    path: fc.constantFrom(["generation"], ["expireTime"]),
    value: fc.integer({ min: -2, max: 3 }),
  }),
  fc.record({
    op: fc.constantFrom("=" as const, "!=" as const),
    path: fc.constant(["deletionProtection"]),
    value: fc.boolean(),
  }),
  fc.record({
    op: fc.constant(":" as const),
    path: fc.constantFrom(["labels"], ["expireTime"], ["conditions"]),
    value: fc.constantFrom("*", "team", "é"),
  }),
);

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.record({
      op: fc.constantFrom("and" as const, "or" as const),
      terms: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("not" as const), term: tie("filter") }),
  ),
}));

const documents = fc.array(
  fc.record({
    state: fc.constantFrom("READY" as const, "DELETING" as const),
    generation: fc.integer({ min: -2, max: 3 }),
    deletionProtection: fc.boolean(),
    expireTime: fc.option(fc.integer({ min: 0, max: 3 })),
    labels: fc.dictionary(
      fc.constantFrom("team", "a/b", "é"),
      fc.constantFrom("web", "é", "\u{1f600}", "\ufffd", ""),
    ),
  }),
  { maxLength: 6 },
);

Deno.test("sqlite: filters and orders mean what they mean in memory", () =>
  withDirectory(async (directory) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(documents, filter, fc.boolean(), async (documents, filter, descending) => {
        const stores = [
          openMemoryStore(),
          openSqliteStore({ path: join(directory, `${run++}.db`) }),
        ];
        const lists = [];
        for (const store of stores) {
          await Promise.all(
            documents.map((document, index) =>
              store.environments.create(anEnvironment(`e-${index}`, document))
            ),
          );
          for (const path of [["labels", "team"], ["expireTime"]]) {
            const orderBy = [{ path, descending }];
            const page = await store.environments.list({ filter, orderBy, limit: 3 });
            const rest = page.next
              ? await store.environments.list({ filter, orderBy, limit: 9, after: page.next })
              : { items: [] };
            lists.push([...page.items, ...rest.items].map(({ value }) => value.name));
          }
          await store.close();
        }
        assert.deepEqual(lists.slice(2), lists.slice(0, 2));
      }),
      { numRuns: 60 },
    );
  }));

Deno.test("sqlite: documents of an older version get the fields that they lack", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "mpc.db");
    const old = openSqliteStore({ path });
    const input = { wanted: { spec: aSpec() }, previous: null };
    await old.environments.create(anEnvironment("dev"));
    await old.workloads.create(aWorkload("dev", "web"));
    await old.operations.create(anOperation("1", { kind: "workload.deploy", input }));
    await old.close();
    const database = new DatabaseSync(path);
    const parts = ["envFrom", "livenessCheck", "volumes", "ingress", "autoscaling"];
    const spec = [...parts, "disruptionBudget", "chart"];
    const remove = (table: string, path: string) =>
      database.exec(
        `UPDATE ${table} SET body = json_remove(body, ${spec.map((f) => `'${path}.${f}'`)})`,
      );
    remove("workloads", "$.spec");
    remove("operations", "$.input.wanted.spec");
    database.exec("UPDATE environments SET body = json_remove(body, '$.cluster')");
    database.exec("PRAGMA user_version = 2");
    database.close();
    const store = openSqliteStore({ path });
    assert.deepEqual(
      (await store.environments.get("environments/dev"))?.value,
      anEnvironment("dev"),
    );
    const workload = await store.workloads.get("environments/dev/workloads/web");
    assert.deepEqual(workload?.value, aWorkload("dev", "web"));
    assert.deepEqual((await store.operations.get("operations/1"))?.value.input, input);
    await store.close();
  }));
