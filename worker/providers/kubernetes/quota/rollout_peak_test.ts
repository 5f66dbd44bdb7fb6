import assert from "node:assert/strict";
import fc from "fast-check";
import { peakUsage, podCount, type Replacement } from "./rollout_peak.ts";

interface Update {
  readonly desired: number;
  readonly surge: number;
  readonly unavailable: number;
  /** Cpu of an old and of a new pod. */
  readonly old: number;
  readonly new: number;
}

/**
 * Plays the Deployment controller, pod by pod: it creates new pods while there are fewer than
 * `desired + surge`, then deletes old ones while `desired - unavailable` are available. All orders in
 * which pods become ready are tried.
 * @returns the largest usage right after a creation
 */
function playRollout(update: Update): number {
  const { desired, surge, unavailable } = update;
  let most = 0;
  const seen = new Set<string>();
  const step = (old: number, created: number, ready: number): void => {
    const key = `${old}/${created}/${ready}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (created < desired && old + created < desired + surge) {
      most = Math.max(most, old * update.old + (created + 1) * update.new);
      return step(old, created + 1, ready);
    }
    const removable = Math.min(old, old + ready - (desired - unavailable));
    if (removable > 0) step(old - removable, created, ready);
    else if (ready < created) step(old, created, ready + 1);
    // Several pods may become ready before the controller looks again.
    if (ready + 1 < created) step(old, created, ready + 2);
  };
  step(desired, 0, 0);
  return most;
}

const arbitraryUpdate = fc.record({
  desired: fc.integer({ min: 1, max: 8 }),
  surge: fc.integer({ min: 0, max: 9 }),
  unavailable: fc.integer({ min: 0, max: 8 }),
  old: fc.integer({ min: 1, max: 50 }),
  new: fc.integer({ min: 1, max: 50 }),
});

Deno.test("peakUsage() is the most that a rolling update uses when it creates a pod", () => {
  fc.assert(fc.property(arbitraryUpdate, ({ surge, unavailable, ...rest }) => {
    // A controller refuses to have neither.
    const update = { ...rest, surge, unavailable: surge === 0 ? Math.max(1, unavailable) : 0 };
    const how: Replacement = surge > 0
      ? { type: "surge", surge }
      : { type: "replace", unavailable: update.unavailable };
    const running = Array.from({ length: update.desired }, () => ({ cpu: update.old }));
    const rollout = { desired: update.desired, pod: { cpu: update.new }, running };
    assert.equal(peakUsage(rollout, how)?.["cpu"], playRollout(update));
  }));
});

const pods = (count: number, cpu: number) => Array.from({ length: count }, () => ({ cpu }));

for (
  const [title, desired, cpu, running, how, peak] of [
    ["a first rollout", 3, 10, [], { type: "surge", surge: 1 }, 30],
    ["all pods are removed first", 2, 10, pods(4, 50), { type: "recreate" }, 20],
    ["nothing is replaced", 2, 10, pods(2, 10), { type: "none" }, undefined],
    ["fewer pods", 1, 10, pods(2, 10), { type: "none" }, undefined],
    ["more pods of the same kind", 5, 10, pods(2, 10), { type: "none" }, 50],
    ["nothing is to run", 0, 10, pods(2, 50), { type: "surge", surge: 1 }, undefined],
    [
      "more pods of another kind: old ones are scaled up first",
      4,
      10,
      pods(2, 50),
      { type: "surge", surge: 1 },
      210,
    ],
  ] as const
) {
  Deno.test(`peakUsage(): ${title}`, () => {
    assert.equal(peakUsage({ desired, pod: { cpu }, running }, how)?.["cpu"], peak);
  });
}

Deno.test("podCount() rounds percentages like the Deployment controller, and has its default", () => {
  assert.equal(podCount("25%", 1, Math.ceil), 1);
  assert.equal(podCount("25%", 5, Math.ceil), 2);
  assert.equal(podCount("25%", 5, Math.floor), 1);
  assert.equal(podCount(undefined, 4, Math.ceil), 1);
  assert.equal(podCount(3, 100, Math.ceil), 3);
});
