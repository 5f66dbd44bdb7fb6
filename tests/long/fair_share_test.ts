/** Attacks from one address: the process stays small, and a caller from another one is answered. */
import { withTarget } from "../fuzz/target.ts";
import { assertSoon, ATTACKS, DOORS, withstand } from "../fuzz/withstand.ts";

const ATTACK_MS = 5_000;

for (const door of DOORS) {
  Deno.test({
    name: `${door}: attacks from one address neither fill the process nor delay other callers`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      for (const attack of ATTACKS) {
        // A separate server for each, because the allocator keeps memory after an attack.
        await t.step(attack, () =>
          withTarget(async (target) => {
            assertSoon(await withstand(target, door, attack, ATTACK_MS));
            await target.assertWell();
          }));
      }
    },
  });
}
