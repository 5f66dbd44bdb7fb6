/** What operators do with stores: `deno task storage:copy`, `:check`, `:backup`, `:restore`, `:rewrap`. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { Command, CommanderError } from "@commander-js/extra-typings";
import { adviceFor, isMpcError, MpcError } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { openStore, sqliteFileOf } from "./open_store.ts";
import type { Store } from "./store.ts";
import { backupDatabase, type BackupReport, restoreDatabase } from "./sqlite/backup.ts";
import { overwriteFreePages } from "./sqlite/overwrite_free_pages.ts";
import { misfiledRows } from "./sqlite/columns.ts";
import { checkStore, RESTORE, type StorageFinding } from "./tools/check_store.ts";
import { copyStore } from "./tools/copy_store.ts";
import { countSecrets, rewrapStore, type SecretCounts } from "./tools/rewrap_store.ts";
import { KeyRing } from "./encryption/store.ts";

const EXIT = `
Exit codes: 0 done, 1 failed or findings, 2 wrong usage`;

/** Every so many documents a copy says how far it is. */
const PROGRESS_EVERY = 1_000;

const examples = (...lines: readonly string[]) =>
  `\nExamples:\n${lines.map((line) => `  deno task ${line}`).join("\n")}\n${EXIT}`;

/** @returns the exit code */
async function run(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("storage").exitOverride()
    .description("Copy, check, back up and restore what a platform keeps");
  const verb = (name: string, description: string) =>
    program.command(name).description(description).exitOverride()
      .configureOutput({ outputError: () => {} });
  verb("copy", "Copy a store into an empty one of any kind, and compare both")
    .argument("<from>", "address of the store to copy; nothing may use it meanwhile")
    .argument("<to>", "address of an empty store, or of one where this copy was interrupted")
    .addHelpText(
      "after",
      examples(
        "storage:copy sqlite:data/mpc.db sqlite:/mnt/disk/mpc.db",
        "storage:copy sqlite:data/mpc.db mongodb://db.example.com/mpc",
        "storage:copy mongodb://db.example.com/mpc sqlite:laptop.db",
      ),
    )
    .action(async (from, to) => {
      await copy(from, to);
    });
  verb("check", "Check the invariants of what a store keeps, and say how to repair violations")
    .argument("<address>", "address of the store; servers may use a SQLite store meanwhile")
    .addHelpText("after", examples("storage:check sqlite:data/mpc.db"))
    .action(async (address) => {
      code = await check(address);
    });
  verb("backup", "Write a consistent copy of a SQLite store, also while servers use it")
    .argument("<address>", "address of the store, as sqlite:PATH")
    .argument("<file>", "the copy; a file that does not exist")
    .addHelpText(
      "after",
      examples('storage:backup sqlite:data/mpc.db "backups/mpc-$(date +%F).db"'),
    )
    .action(async (address, file) => {
      const report = await backupDatabase({ from: fileOf(address), to: resolve(file) });
      console.log(`Backed up: ${spelled(report)}`);
    });
  verb("restore", "Put a backup in the place of a SQLite store that no server uses")
    .argument("<file>", "the backup")
    .argument("<address>", "address of the store, as sqlite:PATH")
    .option("--replace", "move the database aside that is there now")
    .addHelpText(
      "after",
      examples(
        "storage:restore backups/mpc-2026-11-30.db sqlite:data/mpc.db",
        "storage:restore backups/mpc-2026-11-30.db sqlite:data/mpc.db --replace",
      ),
    )
    .action(async (file, address, { replace = false }) => {
      const report = await restoreDatabase({ from: resolve(file), to: fileOf(address), replace });
      console.log(`Restored: ${spelled(report)}`);
      if (report.before) console.log(`The database that was there before is ${report.before}`);
    });
  verb("rewrap", "Encrypt every secret value of a store by the first key of a file")
    .argument("<address>", "address of the store; servers with the same keys may use it meanwhile")
    .requiredOption(
      "--encryption-key-file <file>",
      "the new key, and those before it, one per line",
    )
    .addHelpText(
      "after",
      examples("storage:rewrap sqlite:data/mpc.db --encryption-key-file keys"),
    )
    .action(async (address, { encryptionKeyFile }) => {
      await rewrap(address, await keysIn(encryptionKeyFile));
    });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failed = error instanceof CommanderError ? usage(error.message) : error;
    if (!isMpcError(failed) || failed.code === "INTERNAL") throw failed;
    console.error(`Error: ${failed.message} (${failed.reason})`);
    const { nextStep, command } = adviceFor(failed);
    console.error(`Next: ${nextStep}${command ? `: ${command}` : ""}`);
    return failed.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

const usage = (message: string): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `${message.replace(/^error: /, "")}; see --help`,
  });

async function copy(fromAddress: string, toAddress: string): Promise<void> {
  for (const address of [fromAddress, toAddress]) {
    if (address === "memory:") throw usage("a store in memory ends with this command");
  }
  assertThere(fromAddress);
  await using stores = new AsyncDisposableStack();
  const from = stores.adopt(await openStore(fromAddress), (it) => it.close());
  const to = stores.adopt(await openStore(toAddress), (it) => it.close());
  let told = 0;
  const { contents, copied } = await copyStore({
    from,
    to,
    onProgress(part, copied) {
      if (copied - told < PROGRESS_EVERY) return;
      told = copied;
      console.log(`${copied} copied, now ${part}`);
    },
  });
  for (const [name, { count, checksum }] of Object.entries(contents)) {
    console.log(`${String(count).padStart(9)} ${name.padEnd(14)} sha256 ${checksum}`);
  }
  console.log(`Copied ${copied}; both stores hold the same`);
}

/** A SQLite store is checked as a copy of this moment, so that servers may go on. */
async function check(address: string): Promise<number> {
  assertThere(address);
  const file = sqliteFileOf(address);
  if (file === undefined) {
    const store = await openStore(address);
    try {
      const { records, events, findings } = await checkStore(store, systemClock.now());
      await printSecrets(store);
      return report(findings, `${records} records and ${events} events`);
    } finally {
      await store.close();
    }
  }
  const folder = await mkdtemp(join(tmpdir(), "mpc-check-"));
  try {
    const snapshot = join(folder, "mpc.db");
    try {
      await backupDatabase({ from: file, to: snapshot });
    } catch (error) {
      if (!isMpcError(error, "DATA_LOSS")) throw error;
      return report([databaseDamaged(file, error.message)], "a database that cannot be copied");
    }
    const store = await openStore(`sqlite:${snapshot}`);
    let found: Awaited<ReturnType<typeof checkStore>>;
    try {
      found = await checkStore(store, systemClock.now());
      await printSecrets(store);
    } finally {
      await store.close();
    }
    const database = new DatabaseSync(snapshot);
    const misfiled = misfiledRows(database).map((row) =>
      databaseDamaged(row, "Its columns are not what its document says")
    );
    database.close();
    const { records, events, findings } = found;
    return report([...misfiled, ...findings], `${records} records and ${events} events`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function keysIn(path: string): Promise<KeyRing> {
  try {
    return await KeyRing.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (isMpcError(error) || !(error instanceof Error)) throw error;
    throw usage(`--encryption-key-file '${path}' cannot be read: ${error.message}`);
  }
}

async function rewrap(address: string, keys: KeyRing): Promise<void> {
  if (address === "memory:") throw usage("a store in memory ends with this command");
  assertThere(address);
  const store = await openStore(address, { shared: true });
  let told = 0;
  try {
    const { rewritten, secrets, retired } = await rewrapStore({
      store,
      keys,
      onProgress(read, rewritten) {
        if (read - told < PROGRESS_EVERY) return;
        told = read;
        console.log(`${read} documents read, ${rewritten} encrypted`);
      },
    });
    console.log(`Encrypted ${rewritten} documents by key '${keys.first}'`);
    console.log(spelledSecrets(secrets));
    for (const key of retired) console.log(`Nothing needs key '${key}' any more`);
  } finally {
    await store.close();
  }
  const file = sqliteFileOf(address);
  if (file === undefined) return;
  const pages = overwriteFreePages(file);
  if (pages !== undefined) console.log(`Overwrote ${pages} free pages of the file, and its log`);
  else {
    console.log(
      "The log of the file may still hold what was replaced, because a process reads it:",
    );
    console.log("  run this again when no process uses the file");
  }
}

/** Says of a store with ciphertext by which keys its values are encrypted. */
async function printSecrets(store: Store): Promise<void> {
  const secrets = await countSecrets(store);
  if (Object.keys(secrets).some((key) => key !== "plain")) console.log(spelledSecrets(secrets));
}

function spelledSecrets(secrets: SecretCounts): string {
  const parts = Object.entries(secrets).toSorted().map(([key, count]) =>
    key === "plain" ? `${count} not encrypted` : `${count} by key '${key}'`
  );
  return `Secret values: ${parts.join(", ") || "none"}`;
}

const databaseDamaged = (subject: string, message: string): StorageFinding => ({
  check: "DATABASE_DAMAGED",
  subject,
  message,
  remedy: RESTORE,
});

function report(findings: readonly StorageFinding[], what: string): number {
  for (const { check, subject, message, remedy } of findings) {
    console.log(`✗ ${check} ${subject}\n    ${message}\n    repair: ${remedy}`);
  }
  console.log(`${findings.length || "No"} findings in ${what}`);
  return findings.length > 0 ? 1 : 0;
}

/** Opening a SQLite store would create it. */
function assertThere(address: string): void {
  const file = sqliteFileOf(address);
  if (file === undefined || existsSync(file)) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_MISSING",
    message: `Cannot read '${file}': there is no such file`,
  });
}

function fileOf(address: string): string {
  const file = sqliteFileOf(address);
  if (file !== undefined) return file;
  throw usage("only stores at sqlite:PATH are backed up and restored by this; see docs/storage.md");
}

const spelled = ({ path, bytes, rows }: BackupReport): string =>
  `${path}, ${bytes} bytes: ${
    Object.entries(rows).map(([table, count]) => `${count} ${table}`).join(", ")
  }`;

process.exitCode = await run(process.argv.slice(2));
