/** What operators do with stores: the tasks `storage:copy`, `:check`, `:backup` and `:restore`. */
import assert from "node:assert/strict";
import { copyFile, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService } from "@mpc/proto";
import { openSqliteStore } from "@mpc/storage/sqlite";
import config from "../../deno.json" with { type: "json" };
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { withFolder } from "../servers/with_folder.ts";

type Task = "copy" | "check" | "backup" | "restore";

/** Starts a task with the permissions that it has. */
function start(task: Task, ...args: readonly string[]): Subprocess {
  const [, ...command] = config.tasks[`storage:${task}`].split(" ");
  return startDeno([...command, ...args]);
}

/** Runs a task to its end. */
async function run(task: Task, ...args: readonly string[]) {
  const process = start(task, ...args);
  const { code } = await process.status;
  return { code, output: process.output() };
}

const script = (name: string) => new URL(`../servers/${name}.ts`, import.meta.url).pathname;

/** Fills a store with a thousand and more records. */
async function filled(folder: string, count = 1_000): Promise<string> {
  const path = join(folder, "mpc.db");
  const writer = startDeno([
    ...["run", "--allow-all", script("store_to_copy"), `sqlite:${path}`, String(count)],
  ]);
  assert.equal((await writer.status).code, 0, writer.output());
  return path;
}

/** The names that a writing process has printed, after the store acknowledged them. */
const acknowledged = (writer: Subprocess): readonly string[] =>
  writer.output().split("\n").slice(0, -1)
    .flatMap((line) => /^written (\S+)$/.exec(line)?.[1] ?? []);

async function assertHolds(path: string, ids: readonly string[]): Promise<void> {
  const store = openSqliteStore({ path });
  try {
    const events = new Set((await store.events.read(0, 1_000_000)).map(({ message }) => message));
    for (const id of ids) {
      assert.ok(await store.environments.get(`environments/${id}`), id);
      assert.ok(events.has(id), `the event of ${id}`);
    }
  } finally {
    await store.close();
  }
}

Deno.test("storage:backup under load has all that was acknowledged before, and restores it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const writer = startDeno(["run", "--allow-all", script("writing_store"), path, "1"]);
    try {
      await writer.line((line) => line === "written e-1-50-0" ? line : undefined);
      for (const name of ["first.db", "second.db"]) {
        const before = acknowledged(writer);
        const { code, output } = await run("backup", `sqlite:${path}`, join(folder, name));
        assert.equal(code, 0, output);
        assert.ok(acknowledged(writer).length > before.length, "it was written meanwhile");
        await assertHolds(join(folder, name), before);
        await openSqliteStore({ path: join(folder, name) }).close();
      }
      const refused = await run("restore", join(folder, "first.db"), `sqlite:${path}`, "--replace");
      assert.equal(refused.code, 1);
      assert.match(refused.output, /STORE_IN_USE/);
    } finally {
      writer.kill("SIGKILL");
      await writer.status;
    }
    const all = acknowledged(writer);
    const twice = await run("restore", join(folder, "first.db"), `sqlite:${path}`);
    assert.equal(twice.code, 1);
    assert.match(twice.output, /TARGET_EXISTS/);
    const restored = await run("restore", join(folder, "first.db"), `sqlite:${path}`, "--replace");
    assert.equal(restored.code, 0, restored.output);
    const store = openSqliteStore({ path });
    const kept = await store.environments.count({});
    await store.close();
    assert.ok(kept >= 200 && kept < all.length, `${kept} of ${all.length}`);
    // The killed server's database is kept whole, with what only its log had.
    const aside = /that was there before is (\S+)/.exec(restored.output)?.[1];
    await assertHolds(aside ?? "", all);
    assert.deepEqual((await readdir(folder)).filter((name) => name.includes("partial")), []);
  }));

Deno.test({
  name:
    "storage:backup and storage:check work on a server that runs, and a new one starts on the backup",
  // The platform's output is read in the background.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "mpc.db");
      const platform = await startPlatform(["--data-dir", folder]);
      const create = (web: URL, environmentId: string) =>
        createClient(EnvironmentService, createGrpcWebTransport({ baseUrl: web.origin }))
          .createEnvironment({ environmentId, environment: {} });
      try {
        await create(platform.web, "dev");
        const { code, output } = await run("backup", `sqlite:${path}`, join(folder, "b.db"));
        assert.equal(code, 0, output);
        assert.match(output, /Backed up: .*b\.db, \d+ bytes: 1 environments/);
        const checked = await run("check", `sqlite:${path}`);
        assert.equal(checked.code, 0, checked.output);
        assert.match(checked.output, /No findings in \d+ records and \d+ events/);
        await create(platform.web, "later");
      } finally {
        await platform.stop();
      }
      const restored = await run("restore", join(folder, "b.db"), `sqlite:${folder}/new.db`);
      assert.equal(restored.code, 0, restored.output);
      const again = await startPlatform([
        ...["--data-dir", join(folder, "other"), "--store", `sqlite:${folder}/new.db`],
      ]);
      try {
        const { environments } = await createClient(
          EnvironmentService,
          createGrpcWebTransport({ baseUrl: again.web.origin }),
        ).listEnvironments({});
        assert.deepEqual(environments.map(({ name }) => name), ["environments/dev"]);
      } finally {
        await again.stop();
      }
    }),
});

Deno.test("storage:copy that is killed in the middle goes on, and both stores hold the same", () =>
  withFolder(async (folder) => {
    const path = await filled(folder, 4_000);
    const [from, to] = [`sqlite:${path}`, `sqlite:${join(folder, "copy.db")}`];
    for (const part of ["environments", "operations", "events"]) {
      const killed = start("copy", from, to);
      await killed.line((line) => line.endsWith(`copied, now ${part}`) ? line : undefined);
      killed.kill("SIGKILL");
      await killed.status;
    }
    const { code, output } = await run("copy", from, to);
    assert.equal(code, 0, output);
    const [, copied] = /^Copied (\d+); both stores hold the same$/m.exec(output) ?? [];
    assert.ok(Number(copied) < 16_000, `${copied} were left`);
    assert.match(output, /^ +8000 events +sha256 [0-9a-f]{64}$/m);
    const again = await run("copy", from, to);
    assert.match(again.output, /^Copied 0; both stores hold the same$/m);
    assert.equal((await run("check", to)).code, 0);
    const copy = openSqliteStore({ path: join(folder, "copy.db") });
    await copy.environments.create(anEnvironment("more"), { events: [anEvent("more")] });
    await copy.close();
    const differs = await run("copy", from, to);
    assert.equal(differs.code, 1);
    assert.match(differs.output, /of 4000 environments the copy has 4001/);
    assert.match(differs.output, /COPY_DIFFERS/);
  }));

Deno.test("storage:check names damaged and misfiled records, and a damaged database", () =>
  withFolder(async (folder) => {
    const path = await filled(folder, 500);
    const sound = await run("check", `sqlite:${path}`);
    assert.equal(sound.code, 0, sound.output);
    const database = new DatabaseSync(path);
    database.exec("UPDATE environments SET body = '{' WHERE name = 'environments/e-77'");
    database.exec("UPDATE operations SET state = 'FAILED' WHERE name = 'operations/e-78'");
    database.close();
    const before = await stat(path);
    const { code, output } = await run("check", `sqlite:${path}`);
    assert.equal(code, 1);
    assert.match(output, /RECORD_UNREADABLE environments\/e-77\n.*\n {4}repair: deno task/);
    assert.match(output, /DATABASE_DAMAGED operations: operations\/e-78\n/);
    assert.match(output, /^2 findings in /m);
    assert.equal((await stat(path)).mtimeMs, before.mtimeMs, "it only reads");
    const { size } = before;
    const file = await open(path, "r+");
    await file.write(new Uint8Array(size / 2).fill(7), 0, size / 2, size / 2);
    await file.close();
    const broken = await run("check", `sqlite:${path}`);
    assert.equal(broken.code, 1);
    assert.match(broken.output, /DATABASE_DAMAGED/);
    const backup = await run("backup", `sqlite:${path}`, join(folder, "b.db"));
    assert.equal(backup.code, 1, backup.output);
    await copyFile(path, join(folder, "c.db"));
    const restore = await run("restore", join(folder, "c.db"), `sqlite:${join(folder, "d.db")}`);
    assert.match(restore.output, /BACKUP_DAMAGED/);
    await assert.rejects(stat(join(folder, "d.db")));
  }));

const WRONG:
  readonly (readonly [task: Task, args: readonly string[], code: number, says: RegExp])[] = [
    ["copy", [], 2, /missing required argument 'from'; see --help/],
    ["copy", ["sqlite:/nowhere/x.db", "sqlite:y.db"], 1, /there is no such file \(STORE_MISSING\)/],
    ["copy", ["memory:", "sqlite:y.db"], 2, /a store in memory ends with this command/],
    ["check", ["redis://x"], 2, /'redis:' is not supported/],
    ["backup", ["sqlite:/nowhere/x.db", "y.db"], 1, /STORE_MISSING/],
    ["backup", ["mongodb://x/y", "y.db"], 2, /only stores at sqlite:PATH/],
    ["restore", ["/nowhere/y.db", "sqlite:x.db"], 1, /STORE_MISSING/],
    ["restore", ["a", "b", "c"], 2, /too many arguments/],
  ];

Deno.test("storage tasks say what is wrong with their arguments, and give examples", async (t) => {
  for (const [task, args, code, says] of WRONG) {
    await t.step([task, ...args].join(" "), async () => {
      const result = await run(task, ...args);
      assert.equal(result.code, code, result.output);
      assert.match(result.output, says);
    });
  }
  for (const task of ["copy", "check", "backup", "restore"] as const) {
    await t.step(`${task} --help`, async () => {
      const { code, output } = await run(task, "--help");
      assert.equal(code, 0);
      assert.match(output, new RegExp(`Examples:\n  deno task storage:${task} `));
      assert.match(output, /Exit codes: 0/);
    });
  }
});

Deno.test("storage:backup refuses what is no store, and overwrites nothing", () =>
  withFolder(async (folder) => {
    const path = await filled(folder, 250);
    const target = join(folder, "b.db");
    await Deno.writeTextFile(target, "mine");
    const refused = await run("backup", `sqlite:${path}`, target);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /TARGET_EXISTS/);
    assert.equal(await readFile(target, "utf8"), "mine");
    const other = new DatabaseSync(join(folder, "other.db"));
    other.exec("CREATE TABLE x (y)");
    other.close();
    const foreign = await run("backup", `sqlite:${folder}/other.db`, join(folder, "c.db"));
    assert.match(foreign.output, /is no store of a platform/);
  }));
