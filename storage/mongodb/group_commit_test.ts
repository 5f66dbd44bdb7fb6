import assert from "node:assert/strict";
import { ObjectId } from "mongodb";
import { Calls } from "./calls.ts";
import type { OutboxEntry } from "./codec.ts";
import { GroupCommit } from "./group_commit.ts";

/** A log that keeps the number of entries of each block, each of which takes `blockMs`. */
function newLog(blockMs = 0) {
  const blocks: number[] = [];
  const calls = new Calls({ patienceMs: 0, problem: () => undefined });
  const commit = new GroupCommit(calls, {
    appendBlock(entries) {
      const end = performance.now() + blockMs;
      while (performance.now() < end);
      blocks.push(entries.length);
      return Promise.resolve(undefined);
    },
  });
  return { blocks, commit };
}

const entry = (): OutboxEntry => ({ id: new ObjectId(), events: ["written"] });

Deno.test("GroupCommit appends what is requested in one turn as one block", async () => {
  const { blocks, commit } = newLog();
  await Promise.all([commit.append([entry()]), commit.append([entry(), entry()])]);
  assert.deepEqual(blocks, [3]);
});

Deno.test("GroupCommit waits for a write that is under way", async () => {
  // The wait is as long as two blocks.
  const { blocks, commit } = newLog(10);
  await commit.append([entry()]);
  const arrived = commit.expect();
  const first = commit.append([entry()]);
  // Some turns later the document of the other write is written.
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  const second = commit.append([entry()]);
  arrived();
  await Promise.all([first, second]);
  assert.deepEqual(blocks, [1, 2]);
});

Deno.test("GroupCommit waits no longer for a write that takes long, and for it only once", async () => {
  const { blocks, commit } = newLog();
  const arrived = commit.expect();
  await commit.append([entry()]);
  await commit.append([entry()]);
  assert.deepEqual(blocks, [1, 1]);
  arrived();
});

Deno.test("GroupCommit does not wait for a write that has failed", async () => {
  const { blocks, commit } = newLog();
  const arrived = commit.expect();
  const appended = commit.append([entry()]);
  arrived();
  await appended;
  assert.deepEqual(blocks, [1]);
});
