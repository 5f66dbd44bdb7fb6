/** Copies between SQLite and MongoDB, in both directions. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { systemIds } from "@mpc/process";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { openInstallation } from "../../platform/open_installation.ts";
import { contentsOf } from "../../storage/tools/contents.ts";
import { copyStore } from "../../storage/tools/copy_store.ts";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";
import { withFolder } from "../servers/with_folder.ts";

const server = await mongodbUnderTest();

Deno.test("a copy from SQLite to MongoDB that is interrupted goes on, and one back holds the same", () =>
  withFolder(async (folder) => {
    const address = server.newAddress();
    const from = openSqliteStore({ path: join(folder, "from.db") });
    const to = await server.open(address);
    const back = openSqliteStore({ path: join(folder, "back.db") });
    try {
      await openInstallation(from, { clock: new FakeClock(), ids: systemIds });
      for (let index = 0; index < 250; index++) {
        const id = `e-${index}`;
        const labels = { "example.com/a.b": id, "$odd": "%" };
        const told = () => anEvent(id, { time: index });
        await from.environments.create(anEnvironment(id, { labels }), { events: [told()] });
        for (let version = 1; version <= index % 4; version++) {
          await from.environments.replace(anEnvironment(id, { labels }), version, {
            events: [told(), told()],
          });
        }
        await from.operations.create(anOperation(id, { state: "FAILED", requestId: id }));
      }
      await from.events.compactBefore(50);
      for (const part of ["environments", "events"]) {
        const interrupted = copyStore({
          from,
          to,
          onProgress(copying) {
            if (copying === part) throw new Error("the power fails");
          },
        });
        await assert.rejects(interrupted, /the power fails/);
      }
      const { contents } = await copyStore({ from, to });
      assert.equal(contents.environments.count, 250);
      assert.deepEqual(await contentsOf(to), contents);
      await copyStore({ from: to, to: back });
      assert.deepEqual(await contentsOf(back), contents);
      // The copy is a store like any other.
      await to.environments.create(anEnvironment("more"), { events: [anEvent("more")] });
      const head = await to.events.head();
      assert.deepEqual((await to.events.read(head - 1, 2)).map(({ message }) => message), ["more"]);
    } finally {
      await Promise.all([from.close(), to.close(), back.close()]);
      await server.drop(address);
    }
  }));
