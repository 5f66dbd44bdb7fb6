import assert from "node:assert/strict";
import { FakeClock } from "../../../../tests/fakes/fake_clock.ts";
import { ProgressDeadline } from "./progress_deadline.ts";
import { isFailure } from "./rollout_failure.ts";
import type { RolloutSnapshot } from "./rollout_snapshot.ts";

const DEADLINE_MS = 60_000;
const SLACK_MS = 15_000;

const SNAPSHOT: RolloutSnapshot = {
  controllers: [{
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { replicas: 1 },
  }],
  replicaSets: [],
  pods: [],
};

const STATUS = { desired: 1, updated: 0, ready: 0, revision: 1, message: "" };

for (const stepMs of [0, -30_000, 1_200_000]) {
  Deno.test(`a rollout without progress has its time where the wall clock is set by ${stepMs} ms`, async () => {
    const clock = new FakeClock();
    const deadline = new ProgressDeadline(clock, DEADLINE_MS);
    assert.ok(!isFailure(deadline.check(SNAPSHOT, STATUS)));
    clock.step(stepMs);
    await clock.advance(DEADLINE_MS + SLACK_MS - 1);
    assert.deepEqual(deadline.check(SNAPSHOT, STATUS), { recheckAt: clock.now() + 1 });
    await clock.advance(1);
    assert.ok(isFailure(deadline.check(SNAPSHOT, STATUS)));
  });
}
