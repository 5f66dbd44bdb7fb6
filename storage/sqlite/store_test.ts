import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { storeContract } from "../../tests/contract/store_contract.ts";
import { anEnvironment, anEvent } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { writtenAndRead } from "../../tests/fakes/written_and_read.ts";

interface Variant {
  readonly twoHandles: boolean;
  readonly open: (path: string) => Store;
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  "sqlite": { twoHandles: false, open: (path) => openSqliteStore({ path }) },
  "sqlite, shared": { twoHandles: true, open: (path) => openSqliteStore({ path, shared: true }) },
  "sqlite, written through one handle and read through another": {
    twoHandles: true,
    open: (path) =>
      writtenAndRead(
        openSqliteStore({ path, shared: true }),
        openSqliteStore({ path, shared: true }),
      ),
  },
};

for (const [name, { twoHandles, open }] of Object.entries(VARIANTS)) {
  storeContract(name, { durable: true, twoHandles, codePointOrder: true }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "mpc-store-"));
    const path = join(folder, "mpc.db");
    const handles = [open(path)];
    return {
      store: handles[0]!,
      openAgain() {
        const handle = open(path);
        handles.push(handle);
        return Promise.resolve(handle);
      },
      async close() {
        for (const handle of handles) await handle.close();
        await rm(folder, { recursive: true });
      },
    };
  });
}

const open = (path: string, shared = false) =>
  Promise.resolve().then(() => openSqliteStore({ path, shared }));

Deno.test("sqlite: a second process cannot open the file until the first has closed it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const first = openSqliteStore({ path });
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

Deno.test("sqlite: shared and exclusive openings exclude each other, and name the other process", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
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

Deno.test("sqlite: a write waits for a write of another process, and becomes UNAVAILABLE after a while", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path, shared: true, busyTimeoutMs: 50 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const late = store.environments.create(anEnvironment("late"));
    assert.equal((await rejectsWith(late, "UNAVAILABLE", "STORE_LOCKED")).retryable, true);
    const waiting = store.environments.create(anEnvironment("dev"));
    assert.equal(await store.environments.count({}), 0, "reads do not wait");
    other.exec("COMMIT");
    other.close();
    assert.equal((await waiting).version, 1);
    await store.close();
  }));

Deno.test("sqlite: a missing directory, and a file that is not a database, are rejected", () =>
  withFolder(async (folder) => {
    await rejectsWith(
      open(join(folder, "no", "mpc.db")),
      "FAILED_PRECONDITION",
      "STORE_NOT_WRITABLE",
    );
    const path = join(folder, "text.db");
    await writeFile(path, "this is no database".repeat(100));
    const { message } = await rejectsWith(open(path), "DATA_LOSS", "STORE_CORRUPT");
    assert.ok(message.includes(`'${path}'`), `the message names the file: ${message}`);
  }));

Deno.test("sqlite: writes of one turn share a commit, and a rejected one does not fail the others", () =>
  withFolder(async (folder) => {
    const store = openSqliteStore({ path: join(folder, "mpc.db") });
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

Deno.test("sqlite: a record that cannot be read is named", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path });
    await store.environments.create(anEnvironment("dev"));
    await store.close();
    const database = new DatabaseSync(path);
    database.exec("UPDATE environments SET body = substr(body, 1, 20)");
    database.close();
    const again = openSqliteStore({ path });
    try {
      const { message } = await rejectsWith(
        again.environments.get("environments/dev"),
        "DATA_LOSS",
        "STORE_CORRUPT",
      );
      assert.match(message, /^Cannot read 'environments\/dev': its record is damaged/);
      const all = await rejectsWith(
        again.environments.list({ limit: 10 }),
        "DATA_LOSS",
        "STORE_CORRUPT",
      );
      assert.equal(all.message, message);
      const filter = { op: "=", path: ["cluster"], value: "default" } as const;
      const filtered = again.environments.list({ limit: 10, filter });
      await rejectsWith(filtered, "DATA_LOSS", "STORE_CORRUPT");
    } finally {
      await again.close();
    }
  }));
