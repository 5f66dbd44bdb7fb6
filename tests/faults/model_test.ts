import { checkModel } from "./model.ts";

const SEQUENCES = 2_000;

Deno.test(`${SEQUENCES} random sequences of commands, faults and crashes end as the rules say`, async (t) => {
  const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
  await t.step(`seed ${seed}`, () => checkModel(SEQUENCES, seed));
});
