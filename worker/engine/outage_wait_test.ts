import assert from "node:assert/strict";
import type { ErrorRecord } from "@mpc/domain";
import { pauseOfOutage } from "./outage_wait.ts";

const NOW = Date.UTC(2030, 0, 1);
const ALMOST_ONE = 1 - Number.EPSILON;

const outage = (metadata: ErrorRecord["metadata"] = {}): ErrorRecord => ({
  code: "UNAVAILABLE",
  reason: "CLUSTER_UNREACHABLE",
  message: "no answer",
  retryable: true,
  metadata,
  causes: [],
});

const pause = (error: ErrorRecord, sinceMs: number, random: number) =>
  pauseOfOutage(error, { now: NOW, since: NOW - sinceMs, random });

const trialIn = (ms: number) => outage({ nextTrial: new Date(NOW + ms).toISOString() });

Deno.test("the pauses of an outage grow with it, up to ten seconds, and are spread", () => {
  const rows = [[0, 500], [1_000, 500], [4_000, 2_000], [20_000, 10_000], [600_000, 10_000]];
  for (const [sinceMs = 0, longest = 0] of rows) {
    assert.equal(pause(outage(), sinceMs, 0), longest / 2, `after ${sinceMs} ms, at least`);
    assert.ok(Math.abs(pause(outage(), sinceMs, ALMOST_ONE) - longest) <= 1, "at most");
  }
});

Deno.test("a step looks again soon after the trial of the circuit breaker", () => {
  for (const random of [0, ALMOST_ONE]) {
    const spread = random === 0 ? 0 : 499;
    assert.equal(pause(trialIn(7_000), 60_000, random), 7_000 + spread);
    assert.equal(pause(trialIn(-7_000), 60_000, random), spread, "it is due");
    assert.equal(pause(trialIn(3_600_000), 60_000, random), 60_000 + spread, "the clock was set");
  }
});
