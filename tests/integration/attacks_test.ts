/** The attacks of `tests/long/fair_share_test.ts` in short, one after the other on one process. */
import assert from "node:assert/strict";
import { type Target, withTarget } from "../fuzz/target.ts";
import {
  areSoon,
  assertSoon,
  ATTACKS,
  type DoorName,
  DOORS,
  withstand,
} from "../fuzz/withstand.ts";

const ATTACK_MS = 2_000;

/** A line for each refused connection would fill the log. */
const MAX_LINES = 100;

/** Other work on the machine delays calls now and then; an attack delays them in each of these. */
const TRIES = 3;

for (const door of DOORS) {
  Deno.test({
    name: `${door}: a process stays small and answers other callers through every attack in turn`,
    // What grpc-js keeps open after a client is closed is not this test's.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (t) =>
      withTarget(async (target) => {
        // One attack alone has too few calls for a p99.
        let times: readonly number[] = [];
        for (let tries = TRIES; tries > 0; tries--) {
          times = await attackInTurn(t, target, door);
          if (areSoon(times)) break;
        }
        assertSoon(times);
        await target.assertWell();
        const lines = target.platform.process.output().split("\n").length;
        assert.ok(lines < MAX_LINES, `the attacks caused ${lines} lines of output`);
      }),
  });
}

async function attackInTurn(t: Deno.TestContext, target: Target, door: DoorName) {
  const times: number[] = [];
  for (const attack of ATTACKS) {
    await t.step(attack, async () => {
      times.push(...await withstand(target, door, attack, ATTACK_MS));
    });
  }
  return times;
}
