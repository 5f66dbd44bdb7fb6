import fc from "fast-check";
import type { Target } from "./target.ts";

/** The number of concurrent calls in one case. */
const BATCH = 40;

const PATIENCE_MS = 1_200_000;

/** The calls of an attack, and their number. */
export interface Attack<Call> {
  readonly call: fc.Arbitrary<Call>;
  readonly cases: number;
  readonly seed: number;
  /** Makes a call; rejects if the response is not an expected one. */
  readonly make: (call: Call) => Promise<void>;
}

/**
 * Makes random calls, many at once, in two halves: the first fills the caches of the server, so the
 * second must not increase its memory.
 */
export async function attackInBatches<Call>(
  target: Target,
  { call, cases, seed, make }: Attack<Call>,
): Promise<void> {
  const batch = fc.array(call, { minLength: BATCH, maxLength: BATCH });
  const run = (count: number, seed: number) =>
    fc.assert(
      fc.asyncProperty(batch, async (calls) => {
        await Promise.all(calls.map(make));
      }),
      { numRuns: Math.ceil(count / BATCH), seed, interruptAfterTimeLimit: PATIENCE_MS },
    );
  const half = Math.floor(cases / 2);
  await run(half, seed);
  await target.assertMemoryFlat(() => run(cases - half, seed + 1));
}
