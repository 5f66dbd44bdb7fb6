import assert from "node:assert/strict";
import { FakeClock, settle } from "@mpc/tests/fakes/fake_clock.ts";
import { LOOK_AGAIN_MS, sleepUntil } from "./sleep_until.ts";

const HOUR = 3_600_000;

/** Sleeps until an hour from now. @returns whether it still sleeps */
function anHourLater(clock: FakeClock): () => boolean {
  let sleeps = true;
  const signal = new AbortController().signal;
  void sleepUntil(clock, clock.now() + HOUR, signal).then(() => sleeps = false);
  return () => sleeps;
}

Deno.test("sleepUntil() ends at its moment, not before", async () => {
  const clock = new FakeClock();
  const sleeps = anHourLater(clock);
  await clock.advance(HOUR - 1);
  assert.ok(sleeps());
  await clock.advance(1);
  assert.ok(!sleeps());
});

Deno.test("sleepUntil() ends within a minute of a moment that was stepped over", async () => {
  const clock = new FakeClock();
  const sleeps = anHourLater(clock);
  await clock.advance(HOUR / 2);
  clock.step(HOUR);
  await clock.advance(LOOK_AGAIN_MS);
  assert.ok(!sleeps());
  assert.ok(LOOK_AGAIN_MS <= 60_000);
});

Deno.test("sleepUntil() ends within a minute of waking where the machine slept through its moment", async () => {
  const clock = new FakeClock();
  const sleeps = anHourLater(clock);
  clock.suspend(8 * HOUR);
  await settle();
  assert.ok(sleeps(), "timers stand still while the machine sleeps");
  await clock.advance(LOOK_AGAIN_MS);
  assert.ok(!sleeps());
});

Deno.test("sleepUntil() sleeps on where the clock is set forward, but not past its moment", async () => {
  const clock = new FakeClock();
  const sleeps = anHourLater(clock);
  clock.step(HOUR / 2);
  await clock.advance(HOUR / 2 - 1);
  assert.ok(sleeps());
  await clock.advance(1);
  assert.ok(!sleeps());
});

Deno.test("sleepUntil() has its caller look again where the clock is set back", async () => {
  const clock = new FakeClock();
  const sleeps = anHourLater(clock);
  await clock.advance(HOUR / 2);
  assert.ok(sleeps());
  clock.step(-30_000);
  await clock.advance(LOOK_AGAIN_MS);
  assert.ok(!sleeps());
});

Deno.test("sleepUntil() lets a caller whose moment has passed loop without starving others", async () => {
  const clock = new FakeClock();
  const slept = sleepUntil(clock, clock.now() - HOUR, new AbortController().signal);
  assert.equal(clock.sleepers, 1);
  await clock.advance(1);
  await slept;
});
