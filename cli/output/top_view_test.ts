import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  GetActivityResponseSchema,
  GetServerInfoResponseSchema,
  OperationSchema,
  OperationState,
} from "@mpc/proto";
import { type TopSample, topView } from "./top_view.ts";

const NOW = Date.UTC(2030, 0, 1);
const at = (seconds: number) => timestampFromMs(NOW + seconds * 1_000);
const SERVER = "http://127.0.0.1:8080";

/** Calls of one method: the counts up to 1, 10 and 100 ms, and in all. */
const method = (name: string, buckets: readonly number[], calls: number, failures = 0) => ({
  method: `mpc.v1.${name}`,
  running: 1,
  calls: BigInt(calls),
  failures: BigInt(failures),
  buckets: buckets.map((calls, index) => ({
    upperBound: durationFromMs(10 ** index),
    calls: BigInt(calls),
  })),
});

const sample = (
  methods: readonly ReturnType<typeof method>[],
  atMs: number,
  parts: Partial<TopSample> = {},
): TopSample => ({
  info: create(GetServerInfoResponseSchema, {
    version: "1.2.3",
    engine: "embedded",
    storage: "sqlite",
    provider: "simulated",
  }),
  activity: create(GetActivityResponseSchema, { startTime: at(-3_600), methods: [...methods] }),
  operations: [],
  more: false,
  stalled: new Set(),
  atMs,
  ...parts,
});

Deno.test("topView: rates and latencies are those between two samples", async () => {
  const before = sample([method("EnvironmentService/GetEnvironment", [100, 100, 100], 100)], 0);
  const after = sample([
    method("EnvironmentService/GetEnvironment", [150, 200, 200], 200, 2),
    method("EventService/WatchEvents", [], 0),
  ], 10_000);
  assert.deepEqual(await topView(after, before, SERVER, NOW), [
    "mpc 1.2.3 at http://127.0.0.1:8080 (embedded, sqlite, simulated), up 1h",
    "",
    "Operations: 0 running, 0 waiting",
    "",
    "Calls in the last 10s: 10/s, 2 running",
    "METHOD                              RATE    FAILED   RUNNING   P50     P99",
    "EnvironmentService/GetEnvironment   10/s    2        1         1.0ms   9.8ms",
    "EventService/WatchEvents            0.0/s   0        1         -       -",
  ]);
});

Deno.test("topView: the figures of a server that was restarted begin anew", async () => {
  const before = sample([method("EnvironmentService/GetEnvironment", [900, 900, 900], 900)], 0);
  const restarted = sample([method("EnvironmentService/GetEnvironment", [0, 0, 0], 10)], 2_000);
  restarted.activity.startTime = at(-10);
  const lines = await topView(restarted, before, SERVER, NOW);
  assert.equal(
    lines.find((line) => line.startsWith("Calls")),
    "Calls since the server began: 1.0/s, 1 running",
  );
  // All of them took longer than the last bound.
  assert.match(lines.at(-1)!, /1\.0\/s +0 +1 +>100ms +>100ms$/);
});

Deno.test("topView: stalled operations come first, with why they wait", async () => {
  const operation = (id: string, state: OperationState, waitingReason = "") =>
    create(OperationSchema, {
      name: `operations/${id}`,
      kind: "workload.deploy",
      target: "environments/dev/workloads/web",
      actor: "user:ann",
      createTime: at(-60),
      state,
      waitingReason,
    });
  const operations = [
    operation("0198c2d4-0000", OperationState.RUNNING),
    operation("0198c2d5-0000", OperationState.PENDING, "waits for operations/0198c2d4-0000"),
    operation("0198c2d6-0000", OperationState.PENDING, "no worker"),
  ];
  const stalled = new Set(["operations/0198c2d6-0000"]);
  const lines = await topView(
    sample([], 0, { operations, stalled, more: true }),
    undefined,
    SERVER,
    NOW,
  );
  assert.deepEqual(lines.slice(2, 7), [
    "Operations: 1 running, 2 waiting, 1 stalled, and more",
    "ID         KIND              TARGET                           STATE     AGE   ACTOR      AT",
    "0198c2d6   workload.deploy   environments/dev/workloads/web   STALLED   1m    user:ann   no worker",
    "0198c2d4   workload.deploy   environments/dev/workloads/web   RUNNING   1m    user:ann",
    "0198c2d5   workload.deploy   environments/dev/workloads/web   PENDING   1m    user:ann   waits for operations/0198c2d4-0000",
  ]);
});
