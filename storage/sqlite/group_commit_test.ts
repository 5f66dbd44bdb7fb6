/** Many writes at once, and concurrent writes of another process. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { anEnvironment, anEvent } from "../../tests/fakes/documents.ts";
import { settle } from "../../tests/fakes/fake_clock.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { openSqliteStore } from "./store.ts";

Deno.test("sqlite: 600 writes of one turn are all made, in order", () =>
  withFolder(async (folder) => {
    const store = openSqliteStore({ path: join(folder, "mpc.db") });
    const ids = Array.from({ length: 600 }, (_, index) => `e-${index}`);
    await Promise.all(
      ids.map((id) => store.environments.create(anEnvironment(id), { events: [anEvent(id)] })),
    );
    assert.equal(await store.environments.count({}), 600);
    const events = await store.events.read(0, 1_000);
    assert.deepEqual(events.map(({ message }) => message), ids);
    await store.close();
  }));

Deno.test("sqlite: a write continues when another process ends its own", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path, shared: true });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const waiting = store.environments.create(anEnvironment("dev"));
    // It is attempted, and rejected, before the other one commits.
    await settle(10);
    other.exec("COMMIT");
    other.close();
    assert.equal((await waiting).version, 1);
    await store.close();
  }));
