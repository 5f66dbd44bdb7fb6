import assert from "node:assert/strict";
import { WRITE_FAULTS } from "../fakes/failing_store.ts";
import { SCENARIOS } from "../fakes/scenarios.ts";
import { interrupt, INTRUDERS, LATER_MS } from "./interrupted_writes.ts";

/** The writes of an admission: the record, the lock, and the withdrawal after a rejection. */
const ADMISSION_WRITES = 4;

/** The record, the begin of a step, and the end. */
const MIN_WRITES = 3;

for (const scenario of SCENARIOS) {
  for (const kind of WRITE_FAULTS) {
    Deno.test(`interrupted writes: ${scenario.title}: ${kind}, at each write`, async (t) => {
      const writes = await interrupt({ scenario });
      assert.ok(writes >= MIN_WRITES, "the change and its steps write");
      for (let at = 1; at <= writes; at++) {
        await t.step(`write ${at}`, async () => {
          await interrupt({ scenario, fault: { kind, at } });
        });
      }
    });
  }
  for (const [title, change] of Object.entries(INTRUDERS)) {
    Deno.test(`interrupted writes: ${scenario.title}: ${title}, at each write`, async (t) => {
      const writes = await interrupt({ scenario });
      assert.ok(writes >= MIN_WRITES, "the change and its steps write");
      for (let at = 1; at <= writes; at++) {
        await t.step(`with write ${at}`, async () => {
          await interrupt({ scenario, intruder: { change, at } });
        });
      }
    });
    Deno.test(`interrupted writes: ${scenario.title}: ${title} while it is admitted`, async (t) => {
      for (const kind of WRITE_FAULTS) {
        for (let at = 1; at <= ADMISSION_WRITES; at++) {
          await t.step(`${kind}, write ${at}`, async () => {
            const intruder = { change, at: 1 };
            await interrupt({ scenario, intruder, fault: { kind, at } });
          });
        }
      }
    });
    Deno.test(`interrupted writes: ${scenario.title}: ${title} after its admission was given up`, async (t) => {
      for (let at = 1; at <= ADMISSION_WRITES; at++) {
        await t.step(`late, write ${at}`, async () => {
          const intruder = { change, at, afterMs: LATER_MS };
          await interrupt({ scenario, intruder, fault: { kind: "late", at } });
        });
      }
    });
  }
}
