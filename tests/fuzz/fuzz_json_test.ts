import { fuzzJson } from "./fuzz_json.ts";

/** Always the same, so that the gate says the same of the same tree; `test:long` explores. */
const SEED = 20_301_226;
const CASES = 2_000;

Deno.test({
  name: `${CASES} requests of nearly right JSON are answered or refused as planned (seed ${SEED})`,
  // Clients keep connections in pools of their own.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () => fuzzJson(CASES, SEED),
});
