import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { quantile } from "../bench/measure.ts";
import type { Subprocess } from "../servers/subprocess.ts";
import { type FrameFuzz, fuzzFrames, type FuzzResult } from "./fuzz_frames.ts";

/** How long another client's call may take, with the machine's cores busy. */
const MAX_CALL_MS = 5_000;
const BETWEEN_CALLS_MS = 20;

/**
 * Fuzzes a door of a server process while another client makes calls.
 * @param call makes one call that a well-behaved client would make, and checks its answer
 * @throws {Error} if the process ends, or a call fails or is late
 */
export async function fuzzDoor(
  server: Subprocess,
  fuzz: Omit<FrameFuzz, "signal">,
  call: () => Promise<void>,
): Promise<FuzzResult & { readonly callP99Ms: number }> {
  const died = new AbortController();
  server.status.then(() => died.abort());
  const times: number[] = [];
  let fuzzing = true;
  const calling = (async () => {
    while (fuzzing && !died.signal.aborted) {
      const start = performance.now();
      await call();
      times.push(performance.now() - start);
      await setTimeout(BETWEEN_CALLS_MS);
    }
  })();
  const result = await Promise.all([
    fuzzFrames({ ...fuzz, signal: died.signal }).finally(() => fuzzing = false),
    calling,
  ]).then(([result]) => result, (error) => {
    throw died.signal.aborted
      ? new Error(`the server died: ${server.output().slice(-4_000)}`, { cause: error })
      : error;
  });
  assert.ok(!died.signal.aborted, `the server died: ${server.output().slice(-4_000)}`);
  const slowest = Math.max(...times);
  assert.ok(slowest < MAX_CALL_MS, `the slowest of ${times.length} calls took ${slowest} ms`);
  return { ...result, callP99Ms: quantile(times, 0.99) };
}
