/** Attacks from one address: the process stays small, and a caller from another one is answered. */
import { withTarget } from "../fuzz/target.ts";
import { assertSoon, ATTACKS, withstand } from "../fuzz/withstand.ts";

const ATTACK_MS = 5_000;

Deno.test({
  name: "attacks from one address neither fill the process nor delay callers from another",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    for (const attack of ATTACKS) {
      // A separate server for each, because the allocator keeps memory after an attack.
      await t.step(attack, () =>
        withTarget(async (target) => {
          assertSoon(await withstand(target, attack, ATTACK_MS));
          await target.assertWell();
        }));
    }
  },
});
