import assert from "node:assert/strict";
import { settle } from "../tests/fakes/fake_clock.ts";
import { Slots } from "./slots.ts";

const NEVER = new AbortController().signal;

Deno.test("waiting callers get slots in turn, and a slot counts once", async () => {
  const slots = new Slots(1);
  const first = await slots.take(NEVER);
  assert.equal(slots.tryTake(), null);
  const order: string[] = [];
  const second = slots.take(NEVER).finally(() => order.push("second"));
  const third = slots.take(NEVER).finally(() => order.push("third"));
  first.release();
  first.release();
  await settle();
  assert.deepEqual(order, ["second"]);
  (await second).release();
  (await third).release();
  assert.deepEqual(order, ["second", "third"]);
  assert.ok(slots.tryTake());
  assert.equal(slots.tryTake(), null);
});

Deno.test("a caller that is aborted gives up its place, and takes no slot", async () => {
  const slots = new Slots(1);
  const first = await slots.take(NEVER);
  const giveUp = new AbortController();
  const second = slots.take(giveUp.signal);
  const third = slots.take(NEVER);
  giveUp.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  first.release();
  (await third).release();
  await assert.rejects(slots.take(giveUp.signal), /enough/);
  assert.ok(slots.tryTake());
});

Deno.test("a slot that was handed over before its caller was aborted is not lost", async () => {
  const slots = new Slots(1);
  const first = await slots.take(NEVER);
  const giveUp = new AbortController();
  const second = slots.take(giveUp.signal);
  const third = slots.take(NEVER);
  first.release();
  giveUp.abort(new Error("too late"));
  (await second).release();
  (await third).release();
  assert.ok(slots.tryTake());
});
