/** `deno task installation:new` gives only a database that was named, and agreed to, a new id. */
import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { INSTALLATION } from "@mpc/domain";
import { openSqliteStore } from "@mpc/storage/sqlite";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../servers/run_command.ts";
import { withFolder } from "../servers/with_folder.ts";

const [, ...TASK] = config.tasks["installation:new"].split(" ");

async function idOf(path: string): Promise<string | undefined> {
  const store = openSqliteStore({ path });
  try {
    return (await store.installations.get(INSTALLATION))?.value.id;
  } finally {
    await store.close();
  }
}

Deno.test("a database gets a new id only if it is named and the loss is agreed to", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = openSqliteStore({ path });
    await store.installations.create({ name: INSTALLATION, id: "before", createTime: 1 });
    await store.close();
    const run = (...args: string[]) =>
      runCommand([Deno.execPath(), ...TASK, ...args], {
        env: { MPC_DATA_DIR: folder, MPC_STORE: `sqlite:${path}`, MPC_YES: "true" },
      });
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /name the copy by --data-dir PATH or --store ADDRESS/],
      [["--yes"], /name the copy by --data-dir PATH or --store ADDRESS/],
      [["--store", `sqlite:${path}`], /add --yes.*mpc\.db' has the installation id 'before'/],
    ];
    for (const [args, message] of refused) {
      const { code, err } = await run(...args);
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.equal(await idOf(path), "before");
    }
    const copy = join(folder, "copy");
    await mkdir(copy);
    for (const flags of [["--store", `sqlite:${copy}/mpc.db`], ["--data-dir", copy]]) {
      await copyFile(path, join(copy, "mpc.db"));
      const { code, out, err } = await run(...flags, "--yes");
      assert.equal(code, 0, err);
      assert.match(out, /^installation \S+ \(before: before\)$/m);
      assert.notEqual(await idOf(join(copy, "mpc.db")), "before");
      assert.equal(await idOf(path), "before", "the one of the variables is left alone");
    }
  }));
