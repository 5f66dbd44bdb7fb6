import { fuzzFields } from "./fuzz_fields.ts";

/**
 * Fixed, so that the gate has the same result for the same tree; `test:long` explores other seeds.
 */
const SEED = 20_301_224;

Deno.test({
  name: "2000 random and hostile requests get a response or a proper error",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () => fuzzFields(2_000, SEED),
});
