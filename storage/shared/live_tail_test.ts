/** Followers of a log in one process: which events they get from memory, and which they read. */
import assert from "node:assert/strict";
import type { Event } from "@mpc/domain";
import { anEvent } from "../../tests/fakes/documents.ts";
import { settle } from "../../tests/fakes/fake_clock.ts";
import { eachEvent, LiveTail, RECENT_EVENTS } from "./live_tail.ts";

const events = (from: number, to: number): Event[] =>
  Array.from(
    { length: to - from + 1 },
    (_, index) => ({ ...anEvent(`${from + index}`), sequence: from + index }),
  );

/** A tail over a log of these events, and the positions from which its followers have read. */
function tailOf(log: Event[]) {
  const reads: number[] = [];
  const tail = new LiveTail({
    read(after, limit) {
      reads.push(after);
      return Promise.resolve(log.filter(({ sequence }) => sequence > after).slice(0, limit));
    },
  });
  return { tail, reads };
}

const append = (tail: LiveTail, added: readonly Event[]) =>
  tail.append(added, added[0]!.sequence - 1);

/** The first `count` sequences that a follower receives after `after`. */
async function follow(tail: LiveTail, after: number, count: number): Promise<number[]> {
  const { signal } = new AbortController();
  const seen: number[] = [];
  for await (const { sequence } of eachEvent(tail.follow(after, signal), signal)) {
    seen.push(sequence);
    if (seen.length === count) break;
  }
  return seen;
}

Deno.test("the live tail serves events in memory without a read, and reads the others", async (t) => {
  const log = events(1, 12);
  const rows: readonly (readonly [after: number, seen: number[], reads: number[]])[] = [
    [11, [12], []],
    [9, [10, 11, 12], []],
    [8, [9, 10, 11, 12], [8]],
    [7, [8, 9, 10, 11, 12], [7]],
    [0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [0]],
  ];
  for (const [after, seen, wanted] of rows) {
    await t.step(`events 10 to 12 in memory, follower at ${after}`, async () => {
      const { tail, reads } = tailOf(log);
      append(tail, log.slice(9));
      assert.deepEqual(await follow(tail, after, seen.length), seen);
      assert.deepEqual(reads, wanted);
    });
  }
});

Deno.test("the live tail keeps the newest events in memory, and followers at its edge miss none", async () => {
  const log = events(1, 2 * RECENT_EVENTS + 1);
  const { tail, reads } = tailOf(log);
  for (const event of log) append(tail, [event]);
  const last = log.length;
  const edge = last - RECENT_EVENTS;
  assert.deepEqual(await follow(tail, edge, 2), [edge + 1, edge + 2]);
  assert.deepEqual(reads, [], "all events after the edge are in memory");
  assert.deepEqual(await follow(tail, edge - 1, 2), [edge, edge + 1]);
  assert.deepEqual(reads, [edge - 1], "the one before is not");
  const all = await follow(tail, 0, last);
  assert.deepEqual(all, log.map(({ sequence }) => sequence), "through both, in order, once");
});

Deno.test("the live tail reads the events that are missing between two appends", async () => {
  const log = events(1, 9);
  const { tail, reads } = tailOf(log);
  append(tail, log.slice(0, 3));
  append(tail, log.slice(5));
  assert.deepEqual(await follow(tail, 2, 7), [3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(reads, [2]);
});

Deno.test("a waiting follower is woken by an append that comes between its read and its wait", async () => {
  const log: Event[] = [];
  const tail = new LiveTail({
    read(after) {
      const found = log.filter(({ sequence }) => sequence > after);
      // Another write happens while the result of the read is on its way.
      if (log.length === 0) {
        log.push(...events(1, 1));
        append(tail, log);
      }
      return Promise.resolve(found);
    },
  });
  const stop = new AbortController();
  const next = tail.follow(0, stop.signal).next();
  await settle();
  stop.abort();
  assert.deepEqual((await next).value?.map(({ sequence }: Event) => sequence), [1]);
});

Deno.test("a follower of the live tail ends when it is aborted between two events", async () => {
  const { tail } = tailOf(events(1, 5));
  const stop = new AbortController();
  const follower = eachEvent(tail.follow(0, stop.signal), stop.signal);
  await follower.next();
  stop.abort();
  assert.equal((await follower.next()).done, true);
});

Deno.test("closing the live tail ends its followers with UNAVAILABLE", async () => {
  const { tail } = tailOf([]);
  const next = tail.follow(0, new AbortController().signal).next();
  await settle();
  tail.close();
  await assert.rejects(next, { code: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" });
});

Deno.test("the live tail watches other handles while it has followers, and stops with the last", async () => {
  const watching: string[] = [];
  const tail = new LiveTail({
    read: () => Promise.resolve([]),
    watch() {
      watching.push("begun");
      return () => watching.push("ended");
    },
  });
  const [one, other] = [new AbortController(), new AbortController()];
  const followers = [tail.follow(0, one.signal).next(), tail.follow(0, other.signal).next()];
  await settle();
  assert.deepEqual(watching, ["begun"]);
  one.abort();
  await followers[0];
  assert.deepEqual(watching, ["begun"], "another one still follows");
  other.abort();
  await followers[1];
  assert.deepEqual(watching, ["begun", "ended"]);
});

Deno.test("the live tail does not skip over events that were removed from the log", async () => {
  const { tail, reads } = tailOf(events(4, 6));
  append(tail, events(1, 6));
  tail.compact(3);
  assert.deepEqual(await follow(tail, 3, 3), [4, 5, 6]);
  assert.deepEqual(reads, [], "the remaining events are in memory");
  await follow(tail, 2, 1);
  assert.deepEqual(reads, [2], "the log says that events were removed");
});
