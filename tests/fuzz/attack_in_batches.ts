import fc from "fast-check";
import type { Target } from "./target.ts";

/** Calls at once in one case. */
const BATCH = 40;

const PATIENCE_MS = 1_200_000;

/** How long an attack is, and which. */
export interface Attack<Call> {
  readonly call: fc.Arbitrary<Call>;
  readonly cases: number;
  readonly seed: number;
  /** Makes a call; rejects where the answer is none that was planned. */
  readonly make: (call: Call) => Promise<void>;
}

/**
 * Makes random calls, many at once, in two halves: when the first has filled what the server keeps
 * anyway, the second must leave its memory flat.
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
