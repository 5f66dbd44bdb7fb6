import assert from "node:assert/strict";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { sleepUnlessAborted } from "./sleep_unless_aborted.ts";

Deno.test("sleepUnlessAborted() sleeps the whole time", async () => {
  const clock = new FakeClock();
  const sleep = sleepUnlessAborted(clock, 1_000, new AbortController().signal);
  await clock.advance(999);
  assert.equal(clock.sleepers, 1);
  await clock.advance(1);
  assert.equal(await sleep, true);
});

Deno.test("sleepUnlessAborted() ends without an error when the signal is aborted", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const sleep = sleepUnlessAborted(clock, 1_000, stop.signal);
  await clock.advance(500);
  stop.abort();
  assert.equal(await sleep, false);
  assert.equal(await sleepUnlessAborted(clock, 1_000, stop.signal), false, "aborted before");
  assert.equal(clock.sleepers, 0);
});

Deno.test("sleepUnlessAborted() throws the other errors of the clock", async () => {
  const broken = new Error("broken");
  const clock = new FakeClock();
  clock.sleep = () => Promise.reject(broken);
  await assert.rejects(sleepUnlessAborted(clock, 1_000, new AbortController().signal), broken);
});
