import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterDelay } from "@mpc/process";
import { Deadline, parseConnectTimeout, parseGrpcTimeout } from "./deadline.ts";

const DAY_MS = 24 * 3_600_000;

Deno.test("parseGrpcTimeout() parses every unit, and nothing else", async (t) => {
  const rows: readonly [value: string, ms: number | undefined][] = [
    ["2H", 7_200_000],
    ["1M", 60_000],
    ["3S", 3_000],
    ["150m", 150],
    ["500u", 0.5],
    ["0n", 0],
    ["99999999n", 99.999999],
    ["99999999H", 99_999_999 * 3_600_000],
    ["1", undefined],
    ["-1S", undefined],
    ["", undefined],
    ["123456789S", undefined],
  ];
  for (const [value, ms] of rows) {
    await t.step(value, () => assert.equal(parseGrpcTimeout(value), ms));
  }
});

Deno.test("parseConnectTimeout() parses up to ten digits", async (t) => {
  const rows: readonly [value: string, ms: number | undefined][] = [
    ["100", 100],
    ["9999999999", 9_999_999_999],
    ["1.5", undefined],
    ["", undefined],
    ["12345678901", undefined],
  ];
  for (const [value, ms] of rows) {
    await t.step(value, () => assert.equal(parseConnectTimeout(value), ms));
  }
});

/** Runs with fake timers, which fire when told to; time advances only then. */
function withTimers(run: (fire: () => number | undefined) => void): void {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
  const realNow = performance.now;
  let now = 0;
  let id = 0;
  const timers = new Map<number, { readonly callback: () => void; readonly ms: number }>();
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms: number) => {
      timers.set(++id, { callback, ms });
      return id;
    },
    clearTimeout: (timer: number) => timers.delete(timer),
  });
  performance.now = () => now;
  try {
    run(() => {
      const [first] = timers;
      if (!first) return undefined;
      const [timer, { callback, ms }] = first;
      timers.delete(timer);
      now += ms;
      callback();
      return ms;
    });
  } finally {
    Object.assign(globalThis, { setTimeout: realSet, clearTimeout: realClear });
    performance.now = realNow;
  }
}

Deno.test("afterDelay() sets another timer if one cannot be long enough", () => {
  withTimers((fire) => {
    let called = 0;
    afterDelay(60 * DAY_MS, () => called++);
    const waits: number[] = [];
    for (let ms = fire(); ms !== undefined; ms = fire()) {
      waits.push(ms);
      assert.equal(called, waits.length === 3 ? 1 : 0);
    }
    assert.equal(waits.reduce((sum, ms) => sum + ms), 60 * DAY_MS);
    assert.ok(waits.every((ms) => ms < 2 ** 31), "each fits a timer");
  });
});

Deno.test("afterDelay() can be cancelled after its first timer has fired", () => {
  withTimers((fire) => {
    const cancel = afterDelay(30 * DAY_MS, () => assert.fail("it was cancelled"));
    assert.ok(fire());
    cancel();
    assert.equal(fire(), undefined);
  });
});

Deno.test("a deadline that has passed aborts at once with DEADLINE_EXCEEDED", () => {
  const { signal } = new Deadline(0);
  assert.ok(signal.aborted);
  assert.equal(ConnectError.from(signal.reason).code, Code.DeadlineExceeded);
});

Deno.test("a deadline of 25 days leaves the call its time", () => {
  withTimers((fire) => {
    const deadline = new Deadline(25 * DAY_MS);
    assert.ok(!deadline.signal.aborted);
    assert.ok(fire());
    assert.ok(!deadline.signal.aborted, "24.8 days have passed");
    assert.ok(deadline.leftMs > 0);
    assert.ok(fire());
    assert.ok(deadline.signal.aborted);
  });
});
