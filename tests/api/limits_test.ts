/** What a server rejects or ends, and how its callers can continue. */
import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  EnvironmentService,
  ErrorInfoSchema,
  HealthCheckResponse_ServingStatus,
  RetryInfoSchema,
} from "@mpc/proto";
import { created, failure, testAtAllDoors } from "./doors.ts";

testAtAllDoors("a caller over its rate limit is told when to retry", async ({ environments }) => {
  const call = () => environments.listEnvironments({});
  await Promise.all([call(), call()]);
  const error = await failure(call());
  assert.equal(error.code, Code.ResourceExhausted);
  assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "RATE_LIMITED");
  const [retry] = error.findDetails(RetryInfoSchema);
  const waitMs = retry?.retryDelay ? durationMs(retry.retryDelay) : 0;
  assert.ok(waitMs > 0 && waitMs <= 60_000, `RetryInfo names a wait, not ${waitMs} ms`);
}, { rateLimit: { perSecond: 1 / 60, burst: 2 } });

testAtAllDoors(
  "a call to a busy resource is told which operation holds it, and when to retry",
  async (
    clients,
  ) => {
    await created(clients, "dev");
    const request = {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:stuck" } },
    };
    const { name } = await clients.workloads.deployWorkload(request);
    const error = await failure(clients.workloads.deployWorkload(request));
    assert.equal(error.code, Code.Aborted);
    const [info] = error.findDetails(ErrorInfoSchema);
    assert.deepEqual([info?.reason, info?.metadata["operation"]], ["OPERATION_IN_PROGRESS", name]);
    assert.ok(error.findDetails(RetryInfoSchema)[0]?.retryDelay, "a retry helps");
  },
);

testAtAllDoors(
  "a caller over its rate limit can still check health",
  async ({ environments, health }) => {
    await environments.listEnvironments({});
    await failure(environments.listEnvironments({}));
    const { status } = await health.check({ service: EnvironmentService.typeName });
    assert.equal(status, HealthCheckResponse_ServingStatus.SERVING);
  },
  { rateLimit: { perSecond: 1 / 60, burst: 1 } },
);

testAtAllDoors("a server that shuts down says so, and ends watches with a token", async (
  clients,
  platform,
) => {
  const health = clients.health.watch({})[Symbol.asyncIterator]();
  const events = clients.events.watchEvents({})[Symbol.asyncIterator]();
  const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
  assert.equal((await health.next()).value?.status, SERVING);
  const { value: synced } = await events.next();
  assert.equal(synced?.synced, true);
  const ended = failure(events.next());
  const closing = platform.close();
  assert.equal((await health.next()).value?.status, NOT_SERVING);
  const error = await ended;
  assert.equal(error.code, Code.Unavailable);
  const [info] = error.findDetails(ErrorInfoSchema);
  assert.deepEqual([info?.reason, info?.metadata["resume_token"]], [
    "SHUTTING_DOWN",
    synced?.resumeToken,
  ]);
  await closing;
});

testAtAllDoors(
  "a call that runs when the server shuts down is answered",
  async (
    clients,
    platform,
  ) => {
    await created(clients, "dev");
    const { name } = await clients.workloads.deployWorkload({
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27" } },
    });
    const waiting = clients.operations.waitOperation({ name });
    assert.ok(
      !(await clients.operations.getOperation({ name })).done,
      "the rollout takes some time",
    );
    const [{ done }] = await Promise.all([waiting, platform.close()]);
    assert.ok(done, "the operation ended while the server waited for its last call");
  },
  { simulatedDelays: "demo", graceMs: 10_000 },
);
