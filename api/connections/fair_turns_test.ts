import assert from "node:assert/strict";
import { FairTurns, type PeerTurns, type TurnTime } from "./fair_turns.ts";

/** Time that passes only when a test says so. */
class FakeTime implements TurnTime {
  #now = 0;
  #due: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  after(_ms: number, callback: () => void): void {
    this.#due.push(callback);
  }

  /** Ends a turn that has taken `ms`. */
  endTurn(ms: number): void {
    this.#now += ms;
    for (const callback of this.#due.splice(0)) callback();
  }
}

function startAll(peer: PeerTurns): number {
  let started = 0;
  while (peer.start()) started++;
  return started;
}

Deno.test("a peer that floods waits for its turns, while another starts at once", () => {
  const time = new FakeTime();
  const turns = new FairTurns(10, time);
  const [flooding, quiet] = [turns.peer(), turns.peer()];
  const started: number[] = [];
  for (let connection = 0; connection < 3; connection++) {
    let left = 25;
    const run = () => {
      while (left > 0 && flooding.start()) {
        left--;
        started.push(connection);
      }
      if (left > 0) flooding.wait(run);
    };
    run();
  }
  assert.equal(started.length, 10, "one turn's calls");
  assert.ok(quiet.start());
  for (let turn = 2; turn <= 8; turn++) {
    time.endTurn(0);
    assert.equal(started.length, Math.min(75, turn * 10));
  }
  assert.deepEqual(new Set(started.slice(0, 40)), new Set([0, 1, 2]), "each connection in turn");
});

Deno.test("while peers compete, the limit of each decreases with long turns, and recovers", () => {
  const time = new FakeTime();
  const turns = new FairTurns(32, time);
  const [flooding, quiet] = [turns.peer(), turns.peer()];
  const perTurn = [30, 30, 30, 30, 30, 30, 4, 4, 4].map((ms) => {
    quiet.start();
    const started = startAll(flooding);
    time.endTurn(ms);
    return started;
  });
  assert.deepEqual(perTurn, [32, 16, 8, 4, 2, 2, 2, 4, 6]);
  time.endTurn(2_000);
  startAll(flooding);
  time.endTurn(0);
  assert.equal(startAll(flooding), 32, "the other has been quiet for a while");
});

Deno.test("a peer that is alone is never slowed down", () => {
  const time = new FakeTime();
  const peer = new FairTurns(32, time).peer();
  for (let turn = 0; turn < 5; turn++) {
    assert.equal(startAll(peer), 32);
    time.endTurn(100);
  }
});
