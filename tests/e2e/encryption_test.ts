/** Encryption at rest as operators use it: `dev` with a key file, `storage:rewrap`, `storage:check`. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { INSTALLATION } from "@mpc/domain";
import { encryptedStore, KeyRing } from "@mpc/storage/encryption";
import { openSqliteStore } from "@mpc/storage/sqlite";
import config from "../../deno.json" with { type: "json" };
import { anEvent, aSpec, aWorkload } from "../fakes/documents.ts";
import { startDeno } from "../servers/subprocess.ts";
import { taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";

const newKey = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();

const WEB = aWorkload("dev", "web", { spec: aSpec({ env: { A: "pineapple" } }) });

async function storageTask(
  task: "rewrap" | "check" | "backup" | "copy",
  ...args: readonly string[]
) {
  const [, ...command] = config.tasks[`storage:${task}`].split(" ");
  const process = startDeno([...command, ...args]);
  const { code } = await process.status;
  return { code, output: process.output() };
}

/** Runs `dev` until it is ready or ends. */
async function runDev(folder: string, ...args: readonly string[]) {
  const { args: command, env } = taskCommand("dev");
  const listen = ["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0", "--data-dir", folder];
  const dev = startDeno([...command, ...listen, ...args], env);
  const isReady = dev.line((line) => /^ {2}web /.exec(line)?.[0]).then(() => true, () => false);
  if (await isReady) dev.kill("SIGTERM");
  const { code } = await dev.status;
  return { code, output: dev.output() };
}

/** Everything that the files of a store hold. */
async function filesOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("mpc.db"));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")))).join();
}

Deno.test("a store that begins without a key is encrypted by storage:rewrap, and then needs its key", () =>
  withFolder(async (folder) => {
    const [path, keyFile] = [join(folder, "mpc.db"), join(folder, "key")];
    const address = `sqlite:${path}`;
    const bare = openSqliteStore({ path });
    await bare.installations.create({
      name: INSTALLATION,
      id: crypto.randomUUID(),
      createTime: Date.UTC(2030, 0, 1),
    });
    // Replaced content would stay in free pages, if nothing rewrote them.
    const long = { ...WEB, spec: aSpec({ env: { A: "pineapple".repeat(2_000) } }) };
    const { version } = await bare.workloads.create(long, { events: [anEvent("made")] });
    await bare.workloads.replace(WEB, version);
    await bare.close();
    assert.ok((await filesOf(folder)).includes("pineapple"));

    const [first, second] = [newKey(), newKey()];
    await writeFile(keyFile, `${first}\n`);
    const rewrapped = await storageTask("rewrap", address, "--encryption-key-file", keyFile);
    assert.equal(rewrapped.code, 0, rewrapped.output);
    const { first: id } = await KeyRing.parse(first);
    assert.match(rewrapped.output, new RegExp(`Encrypted 1 documents by key '${id}'\n`));
    assert.match(rewrapped.output, new RegExp(`^Secret values: 1 by key '${id}'$`, "m"));
    assert.match(rewrapped.output, /^Overwrote \d+ free pages of the file, and its log$/m);
    const after = await filesOf(folder);
    assert.ok(after.includes("mpc:sealed:1:") && !after.includes("pineapple"));
    const copy = join(folder, "copy");
    await mkdir(copy);
    const copied = await storageTask("copy", address, `sqlite:${join(copy, "mpc.db")}`);
    assert.equal(copied.code, 0, copied.output);
    const left = await filesOf(copy);
    assert.ok(left.includes("mpc:sealed:1:") && !left.includes("pineapple"));

    const checked = await storageTask("check", address);
    assert.match(checked.output, new RegExp(`^Secret values: 1 by key '${id}'$`, "m"));
    assert.equal((await storageTask("backup", address, join(folder, "backup.db"))).code, 0);
    const backup = openSqliteStore({ path: join(folder, "backup.db") });
    const store = encryptedStore(backup, await KeyRing.parse(first));
    assert.deepEqual((await store.workloads.get(WEB.name))?.value, WEB);
    await store.close();

    const without = await runDev(folder);
    assert.equal(without.code, 1);
    assert.match(
      without.output,
      new RegExp(
        `Cannot use the store: values in it are encrypted by key '${id}'.*no key was given`,
      ),
    );
    await writeFile(keyFile, second);
    const wrong = await runDev(folder, "--encryption-key-file", keyFile);
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.output,
      /the key file has '[0-9a-f]{8}'; add that key on a line after the f/,
    );
    await writeFile(keyFile, `${second}\n${first}\n`);
    const right = await runDev(folder, "--encryption-key-file", keyFile);
    assert.equal(right.code, 0, right.output);
  }));

for (
  const [what, args, code, says] of [
    ["no file of keys", [], 2, /required option '--encryption-key-file <file>' not specified/],
    ["a file that is missing", ["--encryption-key-file", "/nowhere"], 2, /cannot be read/],
    ["a file without a key", ["--encryption-key-file", "deno.json"], 2, /must be 32 bytes in base/],
  ] as const
) {
  Deno.test(`storage:rewrap refuses ${what}`, async () => {
    const refused = await storageTask("rewrap", "sqlite:/nowhere/mpc.db", ...args);
    assert.equal(refused.code, code, refused.output);
    assert.match(refused.output, says);
  });
}
