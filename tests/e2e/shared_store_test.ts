/**
 * Several processes on one SQLite file: one order, one winner, and a crash harms no other process.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";

const PROGRAM = new URL("../servers/sharing_store.ts", import.meta.url).pathname;
const IDS = ["a", "b", "c"] as const;

async function withProcesses(
  use: (path: string, processes: readonly Subprocess[]) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-shared-"));
  const path = join(directory, "mpc.db");
  // On a new file, so that they race for its migrations too.
  const processes = IDS.map((id) => startDeno(["run", "--allow-all", PROGRAM, path, id]));
  try {
    await Promise.all(
      processes.map((process) => process.line((line) => line === "ready" || undefined)),
    );
    await use(path, processes);
  } finally {
    for (const process of processes) process.kill("SIGKILL");
    await Promise.all(processes.map(({ status }) => status));
    await rm(directory, { recursive: true });
  }
}

/** Tells the processes to end, and asserts that each has seen the whole log, in order. */
async function assertOneOrder(store: Store, processes: readonly Subprocess[]): Promise<void> {
  await store.events.append([anEvent("stop")]);
  const head = await store.events.head();
  const events = await store.events.read(0, 10_000);
  for (const process of processes) {
    assert.equal((await process.status).code, 0, process.output());
    assert.match(process.output(), new RegExp(`^saw ${events.length} to ${head}$`, "m"));
    assert.doesNotMatch(process.output(), /^broken/m);
  }
}

const linesOf = (process: Subprocess, word: string) =>
  process.output().split("\n").filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));

Deno.test("sqlite, shared: 3 processes write and follow one log without a gap or a duplicate", () =>
  withProcesses(async (path, processes) => {
    const store = openSqliteStore({ path, shared: true });
    await store.events.append([anEvent("write 100")]);
    await Promise.all(
      processes.map((process) => process.line((line) => line === "written" || undefined)),
    );
    assert.equal(await store.environments.count({}), 300);
    await assertOneOrder(store, processes);
    const written = (await store.events.read(0, 301)).slice(1);
    assert.equal(new Set(written.map(({ message }) => message)).size, 300);
    await store.close();
  }));

Deno.test("sqlite, shared: each of 100 compare-and-swaps over 3 processes has one winner", () =>
  withProcesses(async (path, processes) => {
    const store = openSqliteStore({ path, shared: true });
    const names = Array.from({ length: 100 }, (_, index) => `race-${index}`);
    for (const name of names) {
      await store.environments.create(anEnvironment(name), { events: [anEvent(`race ${name}`)] });
    }
    for (const process of processes) {
      await process.line((line) => / race-99$/.test(line) || undefined);
    }
    await assertOneOrder(store, processes);
    const won = processes.flatMap((process) => linesOf(process, "won"));
    const lost = processes.flatMap((process) => linesOf(process, "lost"));
    assert.deepEqual(won.toSorted(), names.toSorted(), "one winner each");
    assert.equal(lost.length, 200);
    for (const [index, process] of processes.entries()) {
      for (const name of linesOf(process, "won")) {
        const { value, version } = (await store.environments.get(`environments/${name}`))!;
        assert.deepEqual([value.labels["winner"], version], [IDS[index], 2]);
      }
    }
    await store.close();
  }));

Deno.test("sqlite, shared: kill -9 of a writing process harms no other", () =>
  withProcesses(async (path, processes) => {
    const store = openSqliteStore({ path, shared: true });
    await store.events.append([anEvent("write 150")]);
    const [victim, ...others] = processes;
    await victim?.line((line) => line === "wrote a-20" || undefined);
    victim?.kill("SIGKILL");
    await victim?.status;
    await Promise.all(
      others.map((process) => process.line((line) => line === "written" || undefined)),
    );
    for (const process of processes) {
      for (const name of linesOf(process, "wrote")) {
        assert.ok(
          await store.environments.get(`environments/${name}`),
          `'${name}' was acknowledged`,
        );
      }
    }
    await assertOneOrder(store, others);
    const created = (await store.events.read(0, 10_000)).filter(({ message }) =>
      message.startsWith("wrote ")
    );
    assert.equal(await store.environments.count({}), created.length);
    await store.close();
  }));
