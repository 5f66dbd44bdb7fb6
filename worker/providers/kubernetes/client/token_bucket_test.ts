import assert from "node:assert/strict";
import { FakeClock, settle } from "../../../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { TokenBucket } from "./token_bucket.ts";

const live = () => new AbortController().signal;

Deno.test("a burst passes at once, later requests are spaced and in order", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, clock);
  const done: number[] = [];
  for (let turn = 0; turn < 5; turn++) void bucket.take(live()).then(() => done.push(turn));
  await settle();
  assert.deepEqual(done, [0, 1]);
  await clock.advance(100);
  assert.deepEqual(done, [0, 1, 2]);
  await clock.advance(200);
  assert.deepEqual(done, [0, 1, 2, 3, 4]);
});

Deno.test("an aborted request gives its turn to others", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, clock);
  await bucket.take(live());
  const stop = new AbortController();
  const waiting = bucket.take(stop.signal);
  stop.abort();
  await rejectsWith(waiting, "CANCELLED", "ABORTED_BY_CALLER");
  await clock.advance(1_000);
  await bucket.take(live());
});

for (const stepMs of [-30_000, 1_200_000]) {
  Deno.test(`the wall clock set by ${stepMs} ms neither takes nor gives requests`, async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, clock);
    await bucket.take(live());
    await bucket.take(live());
    clock.step(stepMs);
    let done = false;
    void bucket.take(live()).then(() => done = true);
    await clock.advance(99);
    assert.ok(!done);
    await clock.advance(1);
    assert.ok(done);
  });
}
