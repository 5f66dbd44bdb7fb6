import assert from "node:assert/strict";
import { createHandlerContext } from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { isMpcError } from "@mpc/domain";
import { FakeClock } from "@mpc/tests/fakes/fake_clock.ts";
import { rateLimit } from "./rate_limit.ts";

function limited(limit: { perSecond: number; burst: number }) {
  const clock = new FakeClock();
  let caller = "ann";
  const { before } = rateLimit(limit, clock, () => caller);
  const context = createHandlerContext({
    service: EnvironmentService,
    method: EnvironmentService.method.getEnvironment,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://local",
  });
  /** @returns how long to wait; 0 where the call was taken */
  const call = (by = "ann"): number => {
    caller = by;
    try {
      before?.(context);
      return 0;
    } catch (error) {
      assert.ok(isMpcError(error, "RESOURCE_EXHAUSTED"), String(error));
      assert.equal(error.reason, "RATE_LIMITED");
      return Number(error.metadata["retryAfterMs"]);
    }
  };
  return { clock, call };
}

Deno.test("rateLimit() lets a burst pass, then says how long to wait", () => {
  const { call } = limited({ perSecond: 10, burst: 3 });
  assert.deepEqual([call(), call(), call(), call()], [0, 0, 0, 100]);
});

Deno.test("rateLimit() takes the call of who waited as long as it said", async () => {
  const { clock, call } = limited({ perSecond: 10, burst: 1 });
  call();
  await clock.advance(call());
  assert.equal(call(), 0);
});

Deno.test("rateLimit() lets nobody pay for another", () => {
  const { call } = limited({ perSecond: 1, burst: 1 });
  call("ann");
  assert.equal(call("bob"), 0, "bob has called once");
  assert.ok(call("ann") > 0, "ann has called twice");
});

Deno.test("rateLimit() holds over time what it allows a second", async () => {
  const { clock, call } = limited({ perSecond: 50, burst: 5 });
  let taken = 0;
  for (let ms = 0; ms < 10_000; ms += 5) {
    if (call() === 0) taken++;
    await clock.advance(5);
  }
  assert.ok(taken >= 500 && taken <= 505, `${taken} calls were taken in ten seconds`);
});
