/** The attacks of `tests/long/fair_share_test.ts` in short, one after the other on one process. */
import assert from "node:assert/strict";
import { withTarget } from "../fuzz/target.ts";
import { assertSoon, ATTACKS, DOORS, withstand } from "../fuzz/withstand.ts";

const ATTACK_MS = 2_000;

/** A line for each refused connection would fill the log. */
const MAX_LINES = 1_000;

for (const door of DOORS) {
  Deno.test({
    name: `${door}: a process stays small and answers other callers through every attack in turn`,
    // What grpc-js keeps open after a client is closed is not this test's.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (t) =>
      withTarget(async (target) => {
        const times: number[] = [];
        for (const attack of ATTACKS) {
          await t.step(attack, async () => {
            times.push(...await withstand(target, door, attack, ATTACK_MS));
          });
        }
        // One attack alone has too few calls for a p99.
        assertSoon(times);
        await target.assertWell();
        const lines = target.platform.process.output().split("\n").length;
        assert.ok(lines < MAX_LINES, `the attacks caused ${lines} lines of output`);
      }),
  });
}
