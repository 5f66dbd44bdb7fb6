import { fuzzJson } from "../fuzz/fuzz_json.ts";

const CASES = 100_000;

Deno.test({
  name: `${CASES} requests of almost valid JSON get a response or a proper error`,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    await t.step(`seed ${seed}`, () => fuzzJson(CASES, seed));
  },
});
