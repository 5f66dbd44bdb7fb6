import assert from "node:assert/strict";
import type { Event } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** The behaviour of every event log. */
export const EVENT_LOG_CASES: Readonly<Record<string, StoreCase>> = {
  "events are appended with their write, and none if it is rejected": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"), { events: [anEvent("1"), anEvent("2")] });
    const refused = store.environments.create(anEnvironment("dev"), { events: [anEvent("no")] });
    await rejectsWith(refused, "ALREADY_EXISTS", "NAME_TAKEN");
    await store.environments.replace(anEnvironment("dev"), 1, { events: [anEvent("3")] });
    await store.environments.delete("environments/dev", 2, { events: [anEvent("4")] });
    const events = await store.events.read(0, 10);
    assert.deepEqual(events.map(({ message }) => message), ["1", "2", "3", "4"]);
    assertIncreasing(events);
    assert.equal(await store.events.head(), events.at(-1)?.sequence);
  },
  "100 parallel writers leave one event for each successful write": async ({ store }) => {
    await Promise.allSettled(
      Array.from(
        { length: 100 },
        (_, index) =>
          store.environments.create(anEnvironment(`e-${index % 60}`), { events: [anEvent("x")] }),
      ),
    );
    const events = await store.events.read(0, 1_000);
    assert.equal(events.length, 60);
    assertIncreasing(events);
  },
  "read() continues after a sequence, up to its limit": async ({ store }) => {
    assert.equal(await store.events.head(), 0);
    assert.deepEqual(await store.events.read(0, 10), []);
    await store.events.append(["1", "2", "3", "4"].map((message) => anEvent(message)));
    const [first, second, third, last] = await store.events.read(0, 4);
    assert.ok(first && second && third && last);
    assert.deepEqual(await store.events.read(first.sequence, 2), [second, third]);
    assert.deepEqual(await store.events.read(last.sequence, 10), []);
    assert.deepEqual(await store.events.read(last.sequence + 1_000, 10), []);
  },
  "compactBefore() removes older events, and readers that lack them get an error": async (
    { store },
  ) => {
    await store.events.append([10, 20, 30].map(at));
    const all = await store.events.read(0, 10);
    const head = await store.events.head();
    assert.equal(await store.events.compactBefore(10), 0);
    assert.deepEqual(await store.events.read(0, 10), all);
    assert.equal(await store.events.compactBefore(30), 2);
    const error = await rejectsWith(store.events.read(0, 10), "OUT_OF_RANGE", "EVENTS_COMPACTED");
    const compacted = Number(error.metadata["compacted"]);
    assert.deepEqual(await store.events.read(compacted, 10), all.slice(2));
    assert.deepEqual(await store.events.read(all[1]!.sequence, 10), all.slice(2));
    const behind = store.events.read(all[0]!.sequence, 10);
    await rejectsWith(behind, "OUT_OF_RANGE", "EVENTS_COMPACTED");
    assert.equal(await store.events.head(), head);
    const tail = store.events.tail(0, new AbortController().signal)[Symbol.asyncIterator]();
    await rejectsWith(tail.next(), "OUT_OF_RANGE", "EVENTS_COMPACTED");
  },
  "compactBefore() keeps an older event after one that is kept": async ({ store }) => {
    await store.events.append([10, 30, 20].map(at));
    assert.equal(await store.events.compactBefore(25), 1);
    const [, ...kept] = await timesOf(store);
    assert.deepEqual(kept, [20]);
    assert.equal(await store.events.compactBefore(31), 2);
  },
  "compactBefore() can empty the log, and sequences keep increasing": async ({ store }) => {
    await store.events.append([10, 20].map(at));
    const head = await store.events.head();
    assert.equal(await store.events.compactBefore(21), 2);
    assert.equal(await store.events.compactBefore(21), 0);
    assert.equal(await store.events.head(), head);
    assert.deepEqual(await store.events.read(head, 10), []);
    await store.events.append([at(30)]);
    const [next] = await store.events.read(head, 10);
    assert.ok(next && next.sequence > head);
    assert.equal(await store.events.head(), next.sequence);
  },
  "compactBefore() removes exactly the older events of a long log": async ({ store }) => {
    const times = Array.from({ length: 12_000 }, (_, index) => index);
    await store.events.append(times.map(at));
    assert.equal(await store.events.compactBefore(11_500), 11_500);
    assert.deepEqual(await timesOf(store), times.slice(11_500));
  },
  "compactBefore() in parallel removes each event once": async ({ store }) => {
    await store.events.append([10, 20, 30].map(at));
    const removed = await Promise.all([25, 15, 25].map((time) => store.events.compactBefore(time)));
    assert.equal(removed.reduce((sum, count) => sum + count), 2);
    assert.deepEqual(await timesOf(store), [30]);
  },
  "tail() continues after a compaction if its reader has seen the removed events": async (
    { store },
  ) => {
    const stop = new AbortController();
    const tail = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    await store.events.append([at(10)]);
    assert.equal((await tail.next()).value?.time, 10);
    await store.events.compactBefore(20);
    await store.events.append([at(30), at(40)]);
    assert.equal((await tail.next()).value?.time, 30);
    assert.equal((await tail.next()).value?.time, 40);
    stop.abort();
  },
  "tail() yields the events of the log, then new ones, each once and in order": async (
    { store },
  ) => {
    await store.events.append([anEvent("1"), anEvent("2")]);
    const stop = new AbortController();
    const seen: string[] = [];
    const [first] = await store.events.read(0, 1);
    const reader = (async () => {
      for await (const event of store.events.tail(first!.sequence, stop.signal)) {
        seen.push(event.message);
        if (event.message === "50") stop.abort();
      }
    })();
    for (let index = 3; index <= 50; index++) {
      await store.environments.create(anEnvironment(`e-${index}`), {
        events: [anEvent(String(index))],
      });
    }
    await reader;
    assert.deepEqual(seen, Array.from({ length: 49 }, (_, index) => String(index + 2)));
  },
  "tail() skips no event for a slow reader": async ({ store }) => {
    const stop = new AbortController();
    const tail = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const batch = Array.from({ length: 500 }, (_, index) => anEvent(String(index)));
    for (let round = 0; round < 12; round++) await store.events.append(batch);
    const seen: Event[] = [];
    while (seen.length < 6_000) {
      const { value, done } = await tail.next();
      if (done) break;
      seen.push(value);
    }
    stop.abort();
    assert.equal(seen.length, 6_000);
    assert.deepEqual(seen, await store.events.read(0, 10_000), "every event, in order");
  },
  "tail() ends when it is aborted, without an error": async ({ store }) => {
    const stop = new AbortController();
    const tail = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const waiting = tail.next();
    stop.abort();
    assert.deepEqual(await waiting, { value: undefined, done: true });
  },
};

const at = (time: number) => anEvent("tested", { time });

/** The times of the events that are kept. */
async function timesOf({ events }: Store): Promise<readonly number[]> {
  const error = await rejectsWith(events.read(0, 1), "OUT_OF_RANGE", "EVENTS_COMPACTED");
  const kept = await events.read(Number(error.metadata["compacted"]), 100_000);
  return kept.map(({ time }) => time);
}

function assertIncreasing(events: readonly Event[]): void {
  for (const [index, { sequence }] of events.entries()) {
    const before = events[index - 1]?.sequence ?? 0;
    assert.ok(Number.isSafeInteger(sequence) && sequence > before, `${sequence} after ${before}`);
  }
}
