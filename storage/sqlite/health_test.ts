/** What the store says when its files are gone, locked or damaged, and what it still acknowledges. */
import assert from "node:assert/strict";
import {
  copyFile,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { anEnvironment, anEvent } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { openSqliteStore } from "./store.ts";

const write = (store: ReturnType<typeof openSqliteStore>, id: string) =>
  store.environments.create(anEnvironment(id), { events: [anEvent(id)] });

const LOSSES: readonly (readonly [
  what: string,
  lose: (path: string) => Promise<void>,
  says: RegExp,
])[] = [
  ["the database is deleted", (path) => rm(path), /'mpc.db' was deleted or moved/],
  [
    "the database is moved",
    (path) => rename(path, `${path}.old`),
    /'mpc.db' was deleted or moved/,
  ],
  ["the database is replaced", async (path) => {
    await copyFile(path, `${path}.copy`);
    await rename(`${path}.copy`, path);
  }, /'mpc.db' was replaced/],
  ["the database is overwritten by an older copy", async (path) => {
    await copyFile(`${path}.older`, path);
  }, /'mpc.db' was overwritten/],
  ["the database is emptied", (path) => writeFile(path, ""), /'mpc.db' was overwritten/],
  ["the log is deleted", (path) => rm(`${path}-wal`), /'mpc.db-wal', .* was deleted; restart/],
  ["the index is deleted", (path) => rm(`${path}-shm`), /'mpc.db-shm', .* was deleted; restart/],
  ["the lock is deleted", (path) => rm(`${path}.pid`), /'mpc.db.pid', .* was deleted; restart/],
  [
    "the folder is moved",
    (path) => rename(join(path, ".."), `${join(path, "..")}-moved`),
    /'mpc.db' was deleted or moved/,
  ],
];

/**
 * Empties the page cache, which the connections of a process share, as others that need the memory
 * do: what comes next is read from the files.
 */
function forgetPages(): void {
  const other = new DatabaseSync(":memory:");
  other.exec("PRAGMA soft_heap_limit = 1; PRAGMA soft_heap_limit = 0");
  other.close();
}

Deno.test("sqlite: nothing is acknowledged when a file is no longer in its place", async (t) => {
  for (const [what, lose, says] of LOSSES) {
    await t.step(what, () =>
      withFolder(async (folder) => {
        const home = join(folder, "data");
        await Deno.mkdir(home);
        const path = join(home, "mpc.db");
        await openSqliteStore({ path }).close();
        await copyFile(path, `${path}.older`);
        const store = openSqliteStore({ path });
        await write(store, "before");
        await store.assertWritable();
        await lose(path);
        forgetPages();
        const refused = await rejectsWith(write(store, "after"), "UNAVAILABLE", "STORE_REPLACED");
        assert.match(refused.message, says);
        assert.equal(refused.retryable, true);
        await rejectsWith(store.assertWritable(), "UNAVAILABLE", "STORE_REPLACED");
        await rejectsWith(write(store, "later"), "UNAVAILABLE", "STORE_REPLACED");
        await rejectsWith(store.environments.count({}), "UNAVAILABLE", "STORE_REPLACED");
        await rejectsWith(store.events.head(), "UNAVAILABLE", "STORE_REPLACED");
        await store.close();
      }));
  }
});

Deno.test("sqlite: a database that is moved back goes on without a restart, and lacks nothing", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path });
    await write(store, "before");
    await rename(path, `${path}.old`);
    await rejectsWith(write(store, "meanwhile"), "UNAVAILABLE", "STORE_REPLACED");
    await rename(`${path}.old`, path);
    await store.assertWritable();
    await write(store, "after");
    await store.close();
    const again = openSqliteStore({ path });
    for (const id of ["before", "after"]) {
      assert.ok(await again.environments.get(`environments/${id}`), id);
    }
    await again.close();
  }));

Deno.test("sqlite: what was acknowledged before the log was deleted is in the database", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path });
    for (let index = 0; index < 20; index++) await write(store, `e-${index}`);
    await rm(`${path}-wal`);
    await rejectsWith(write(store, "after"), "UNAVAILABLE", "STORE_REPLACED");
    // Like a restart after kill -9: what this process still holds open is not used.
    await copyFile(path, join(folder, "killed.db"));
    const again = openSqliteStore({ path: join(folder, "killed.db") });
    for (let index = 0; index < 20; index++) {
      assert.ok(await again.environments.get(`environments/e-${index}`), `e-${index}`);
    }
    assert.ok((await again.events.read(0, 100)).length >= 20);
    await again.close();
    await store.close();
  }));

Deno.test({
  name: "sqlite: a deleted database can be taken from the process that has it open",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "mpc.db");
      const store = openSqliteStore({ path });
      await write(store, "kept");
      await rm(path);
      await rejectsWith(store.assertWritable(), "UNAVAILABLE", "STORE_REPLACED");
      const descriptors = "/proc/self/fd";
      for (const descriptor of await readdir(descriptors)) {
        const link = await readlink(join(descriptors, descriptor)).catch(() => "closed meanwhile");
        if (link !== `${path} (deleted)`) continue;
        await writeFile(
          join(folder, "rescued.db"),
          await readFile(join(descriptors, descriptor)),
        );
      }
      await store.close();
      const rescued = openSqliteStore({ path: join(folder, "rescued.db") });
      assert.ok(await rescued.environments.get("environments/kept"));
      await rescued.close();
    }),
});

Deno.test("sqlite: a database that another process has locked is said so, and goes on by itself", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path, shared: true });
    await write(store, "dev");
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const [one, two] = [store.assertWritable(), store.assertWritable()];
    const { retryable } = await rejectsWith(one, "UNAVAILABLE", "STORE_LOCKED");
    assert.equal(retryable, true);
    await rejectsWith(two, "UNAVAILABLE", "STORE_LOCKED");
    assert.equal(await store.environments.count({}), 1, "reads go on");
    other.exec("COMMIT");
    other.close();
    await store.assertWritable();
    await store.close();
  }));

Deno.test("sqlite: a damaged database is not written any more", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const first = openSqliteStore({ path });
    for (let index = 0; index < 200; index++) {
      await first.environments.create(anEnvironment(`e-${index}`));
    }
    await first.close();
    const { size } = await Deno.stat(path);
    const file = await open(path, "r+");
    // The first page and the small tables at the beginning stay as they are.
    const from = 4_096 * 32;
    await file.write(new Uint8Array(size - from).fill(7), 0, size - from, from);
    await file.close();
    const store = openSqliteStore({ path });
    await rejectsWith(store.environments.list({ limit: 1_000 }), "DATA_LOSS", "STORE_CORRUPT");
    await rejectsWith(store.assertWritable(), "DATA_LOSS", "STORE_CORRUPT");
    await rejectsWith(
      store.events.append([anEvent("later")]),
      "DATA_LOSS",
      "STORE_CORRUPT",
    );
    await store.close();
  }));
