import assert from "node:assert/strict";
import type { Event } from "@mpc/domain";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** What every event log does, whatever it is made of. */
export const EVENT_LOG_CASES: Readonly<Record<string, StoreCase>> = {
  "events are appended with the write, and none when it is refused": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"), { events: [anEvent("1"), anEvent("2")] });
    const refused = store.environments.create(anEnvironment("dev"), { events: [anEvent("no")] });
    await rejectsWith(refused, "ALREADY_EXISTS", "NAME_TAKEN");
    await store.environments.replace(anEnvironment("dev"), 1, { events: [anEvent("3")] });
    await store.environments.delete("environments/dev", 2, { events: [anEvent("4")] });
    const events = await store.events.read(0, 10);
    assert.deepEqual(events.map(({ sequence, message }) => [sequence, message]), [
      [1, "1"],
      [2, "2"],
      [3, "3"],
      [4, "4"],
    ]);
    assert.equal(await store.events.head(), 4);
  },
  "100 parallel writers leave a log without gaps": async ({ store }) => {
    await Promise.allSettled(
      Array.from(
        { length: 100 },
        (_, index) =>
          store.environments.create(anEnvironment(`e-${index % 60}`), { events: [anEvent("x")] }),
      ),
    );
    const events = await store.events.read(0, 1_000);
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  },
  "read() goes on behind a sequence": async ({ store }) => {
    await store.events.append(["1", "2", "3", "4"].map((message) => anEvent(message)));
    const events = await store.events.read(1, 2);
    assert.deepEqual(events.map(({ message }) => message), ["2", "3"]);
    assert.deepEqual(await store.events.read(4, 10), []);
  },
  "compact() forgets, and says so to who asks for what is forgotten": async ({ store }) => {
    await store.events.append(["1", "2", "3"].map((message) => anEvent(message)));
    await store.events.compact(3);
    assert.deepEqual((await store.events.read(2, 10)).map(({ message }) => message), ["3"]);
    const error = await rejectsWith(store.events.read(1, 10), "OUT_OF_RANGE", "EVENTS_COMPACTED");
    assert.equal(error.metadata["oldest"], "3");
    await store.events.append([anEvent("4")]);
    assert.equal((await store.events.read(3, 1))[0]?.sequence, 4);
  },
  "tail() yields what is, then what comes, in order, once": async ({ store }) => {
    await store.events.append([anEvent("1"), anEvent("2")]);
    const stop = new AbortController();
    const seen: string[] = [];
    const reader = (async () => {
      for await (const event of store.events.tail(1, stop.signal)) {
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
  "tail() of a slow reader misses nothing": async ({ store }) => {
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
    assert.ok(seen.every((event, index) => event.sequence === index + 1), "in order, without gaps");
  },
  "tail() ends when it is aborted, without an error": async ({ store }) => {
    const stop = new AbortController();
    const tail = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const waiting = tail.next();
    stop.abort();
    assert.deepEqual(await waiting, { value: undefined, done: true });
  },
};
