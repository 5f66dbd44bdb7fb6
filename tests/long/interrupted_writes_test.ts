import { WRITE_FAULTS } from "../fakes/failing_store.ts";
import { SCENARIOS } from "../fakes/scenarios.ts";
import { interrupt, INTRUDERS } from "../faults/interrupted_writes.ts";

for (const scenario of SCENARIOS) {
  for (const [title, change] of Object.entries(INTRUDERS)) {
    for (const kind of WRITE_FAULTS) {
      Deno.test(`interrupted writes: ${scenario.title}: ${title}, at each write; ${kind}, at each write`, async (t) => {
        const writes = await interrupt({ scenario });
        for (let coming = 1; coming <= writes; coming++) {
          const intruder = { change, at: coming };
          const together = await interrupt({ scenario, intruder });
          for (let at = coming; at <= together; at++) {
            await t.step(`with write ${coming}; at write ${at}`, async () => {
              await interrupt({ scenario, intruder, fault: { kind, at } });
            });
          }
        }
      });
    }
  }
}
