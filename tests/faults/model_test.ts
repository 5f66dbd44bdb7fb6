import { checkModel } from "./model.ts";

const SEQUENCES = 2_000;

/** Always the same, so that the gate says the same of the same tree; `test:long` explores. */
const SEED = 230760475;

Deno.test(`${SEQUENCES} random sequences of commands, faults and crashes end as the rules say`, async (t) => {
  await t.step(`seed ${SEED}`, () => checkModel(SEQUENCES, SEED));
});
