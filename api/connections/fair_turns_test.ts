import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { FairTurns } from "./fair_turns.ts";

Deno.test("a peer that floods waits for its turns, another starts at once", async () => {
  const turns = new FairTurns(10);
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
    await setImmediate();
    assert.equal(started.length, Math.min(75, turn * 10));
  }
  assert.deepEqual(new Set(started.slice(0, 40)), new Set([0, 1, 2]), "each connection in turn");
});
