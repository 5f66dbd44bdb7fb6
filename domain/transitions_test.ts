import assert from "node:assert/strict";
import fc from "fast-check";
import { ENVIRONMENT_STATES } from "./environment.ts";
import { isTerminal, OPERATION_STATES } from "./operation.ts";
import { assertMove, ENVIRONMENT_MOVES, OPERATION_MOVES, WORKLOAD_MOVES } from "./transitions.ts";
import { WORKLOAD_STATES } from "./workload.ts";

const TABLES = [
  ["environment", ENVIRONMENT_STATES, ENVIRONMENT_MOVES],
  ["workload", WORKLOAD_STATES, WORKLOAD_MOVES],
  ["operation", OPERATION_STATES, OPERATION_MOVES],
] as const;

for (const [name, states, table] of TABLES) {
  const moves: Readonly<Record<string, readonly string[]>> = table;
  Deno.test(`a transition between two ${name} states is legal if and only if the table has it`, () => {
    for (const from of states) {
      for (const to of states) {
        const legal = from === to || moves[from]?.includes(to);
        const move = () => assertMove(moves, "x", from, to);
        if (legal) move();
        else assert.throws(move, { code: "INTERNAL", reason: "ILLEGAL_MOVE" }, `${from} → ${to}`);
      }
    }
  });

  Deno.test(`every sequence of legal transitions stays within the ${name} states`, () => {
    fc.assert(fc.property(fc.array(fc.nat(9)), (choices) => {
      let state: string = states[0];
      for (const choice of choices) {
        const next = moves[state] ?? [];
        if (next.length === 0) return;
        state = next[choice % next.length]!;
        assert.ok((states as readonly string[]).includes(state));
      }
    }));
  });
}

for (const [name, states, table] of TABLES.slice(0, 2)) {
  const moves: Readonly<Record<string, readonly string[]>> = table;
  Deno.test(`every ${name} can be deleted from every state`, () => {
    for (const state of states) {
      assert.ok(state === "DELETING" || moves[state]?.includes("DELETING"), `from ${state}`);
    }
  });
}

Deno.test("an operation that has ended never changes state, any other can always end", () => {
  for (const state of OPERATION_STATES) {
    const next = OPERATION_MOVES[state];
    assert.equal(next.length === 0, isTerminal(state), state);
  }
});
