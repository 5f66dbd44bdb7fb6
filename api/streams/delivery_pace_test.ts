import assert from "node:assert/strict";
import { settle } from "../../tests/fakes/fake_clock.ts";
import { DeliveryPace, type PaceTime } from "./delivery_pace.ts";

/** CPU time that passes only when a test says so. */
class FakeTime implements PaceTime {
  #used = 0;
  #timers: (() => void)[] = [];

  used(): number {
    return this.#used;
  }

  after(): Promise<void> {
    return new Promise((resolve) => this.#timers.push(resolve));
  }

  use(ms: number): void {
    this.#used += ms;
  }

  /** Makes the current timer fire after other work has used `ms`. */
  async fire(othersMs: number): Promise<void> {
    this.use(othersMs);
    for (const resolve of this.#timers.splice(0)) resolve();
    await settle();
  }
}

/** Asks for turns whose deliveries take `ms` each. @returns the streams that had theirs */
function ask(pace: DeliveryPace, time: FakeTime, streams: number, ms: number): number[] {
  const had: number[] = [];
  for (let stream = 0; stream < streams; stream++) {
    pace.turn().then(() => {
      time.use(ms);
      had.push(stream);
    });
  }
  return had;
}

Deno.test("while there is other work, it gets three times what deliveries took", async () => {
  const time = new FakeTime();
  const had = ask(new DeliveryPace(time), time, 40, 1);
  await settle();
  const first = had.length;
  assert.ok(first >= 4 && first <= 9, `${first} of 40 in the first slice`);
  let others = 0;
  while (had.length === first && others < 100) {
    await time.fire(2);
    others += 2;
  }
  assert.ok(others >= 3 * (first - 1) && others <= 3 * first + 2, `${others} ms of ${first}`);
});

Deno.test("while there is no other work, deliveries continue after two idle timers", async () => {
  const time = new FakeTime();
  const had = ask(new DeliveryPace(time), time, 40, 1);
  await settle();
  const first = had.length;
  await time.fire(0.1);
  assert.equal(had.length, first);
  await time.fire(0.1);
  assert.ok(had.length > first, "the next slice");
});

Deno.test("streams take turns in the order of their requests, and each gets one", async () => {
  const time = new FakeTime();
  const had = ask(new DeliveryPace(time), time, 100, 0.5);
  await settle();
  for (let timers = 0; had.length < 100; timers++) {
    assert.ok(timers < 200, "deliveries stand still");
    await time.fire(timers % 3);
  }
  assert.deepEqual(had, Array.from({ length: 100 }, (_, stream) => stream));
});

Deno.test("a stream that asks again waits for streams that have waited longer", async () => {
  const time = new FakeTime();
  const pace = new DeliveryPace(time);
  const order: string[] = [];
  const stream = async (name: string) => {
    for (let turn = 1; turn <= 2; turn++) {
      await pace.turn();
      time.use(1);
      order.push(`${turn}${name}`);
    }
  };
  // More than fit into one slice.
  const names = [..."abcdefghijkl"];
  const streams = names.map(stream);
  for (let timers = 0; timers < 20; timers++) {
    await settle();
    await time.fire(0);
  }
  await Promise.all(streams);
  assert.deepEqual(order, [1, 2].flatMap((turn) => names.map((name) => `${turn}${name}`)));
});
