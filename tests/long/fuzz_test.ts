import { fuzzFields } from "../fuzz/fuzz_fields.ts";

const CASES = 100_000;

Deno.test({
  name: `${CASES} random and hostile requests get a response or a proper error`,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    await t.step(`seed ${seed}`, () => fuzzFields(CASES, seed));
  },
});
