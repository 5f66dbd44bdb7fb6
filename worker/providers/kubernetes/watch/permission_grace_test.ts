import assert from "node:assert/strict";
import { isMpcError, MpcError } from "@mpc/domain";
import { FakeClock } from "../../../../tests/fakes/fake_clock.ts";
import { PermissionGrace } from "./permission_grace.ts";

const DENIED = new MpcError("PERMISSION_DENIED", {
  reason: "CLUSTER_FORBIDS",
  message: "Cannot watch pods: forbidden",
});

for (const stepMs of [0, -30_000, 1_200_000]) {
  Deno.test(`a denial is transient for its time where the wall clock is set by ${stepMs} ms`, async () => {
    const clock = new FakeClock();
    const grace = new PermissionGrace(clock);
    grace.granted();
    assert.ok(isMpcError(grace.classify(DENIED), "UNAVAILABLE"));
    clock.step(stepMs);
    await clock.advance(4_999);
    assert.ok(isMpcError(grace.classify(DENIED), "UNAVAILABLE"));
    await clock.advance(1);
    assert.equal(grace.classify(DENIED), DENIED);
  });
}
