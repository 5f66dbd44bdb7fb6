import assert from "node:assert/strict";
import { type ErrorCode, uncheckedError } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEvent } from "../../tests/fakes/documents.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { followLog } from "./follow_log.ts";

/** Follows a log whose tail fails the given number of times; returns the events that it saw. */
async function follow(
  failure: { readonly code: ErrorCode; readonly times: number },
  use: (clock: FakeClock) => Promise<void>,
): Promise<readonly string[]> {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const stop = new AbortController();
  const seen: string[] = [];
  let failures = failure.times;
  const events = Object.assign(Object.create(store.events), {
    head: () => store.events.head(),
    tail: (after: number, signal: AbortSignal) => {
      if (failures-- <= 0) return store.events.tail(after, signal);
      throw uncheckedError(failure.code, "INJECTED", {
        message: "an injected fault",
        metadata: { compacted: "1" },
      });
    },
  });
  await store.events.append([anEvent("1"), anEvent("2")]);
  const following = followLog(
    { store: { ...store, events }, clock },
    0,
    stop.signal,
    ({ message }) => void seen.push(message),
  );
  await use(clock);
  stop.abort();
  await following;
  await store.close();
  return seen;
}

Deno.test("followLog() resumes where it was after the store was unreachable for a while", async () => {
  const seen = await follow(
    { code: "UNAVAILABLE", times: 2 },
    (clock) => clock.advance(5_000),
  );
  assert.deepEqual(seen, ["1", "2"]);
});

Deno.test("followLog() resumes at the oldest event that is kept if earlier ones are compacted", async () => {
  const seen = await follow(
    { code: "OUT_OF_RANGE", times: 1 },
    (clock) => clock.advance(5_000),
  );
  assert.deepEqual(seen, ["2"]);
});

Deno.test("followLog() repeats the event that its consumer failed on, and no other", async () => {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const stop = new AbortController();
  await store.events.append(["1", "2", "3"].map((message) => anEvent(message)));
  const handed: string[] = [];
  const following = followLog({ store, clock }, 0, stop.signal, ({ message }) => {
    handed.push(message);
    if (handed.length === 2) throw new Error("cannot take it now");
  });
  await clock.advance(5_000);
  stop.abort();
  await following;
  await store.close();
  assert.deepEqual(handed, ["1", "2", "2", "3"]);
});
