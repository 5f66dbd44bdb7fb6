import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { OperationSchema, StepState } from "@mpc/proto";
import { timings } from "./timings.ts";

const NOW = Date.UTC(2030, 0, 1);
const at = (seconds: number) => timestampFromMs(NOW + seconds * 1_000);

Deno.test("timings: an operation that failed, was tried again and was undone", async () => {
  const operation = create(OperationSchema, {
    createTime: at(-100),
    startTime: at(-98),
    endTime: at(-2),
    steps: [
      {
        name: "create_namespace",
        state: StepState.UNDONE,
        startTime: at(-98),
        endTime: at(-90),
        attempts: [
          { number: 1, startTime: at(-98), endTime: at(-95) },
          { number: 1, undo: true, startTime: at(-12), endTime: at(-2) },
        ],
      },
      {
        name: "rollout",
        state: StepState.FAILED,
        startTime: at(-90),
        endTime: at(-12),
        attempts: [
          { number: 1, startTime: at(-90), endTime: at(-60) },
          { number: 2, startTime: at(-55), endTime: at(-40) },
          { number: 3, startTime: at(-30), endTime: at(-12) },
        ],
      },
      { name: "switch_traffic", state: StepState.PENDING },
    ],
  });
  assert.deepEqual(await timings(operation, NOW), [
    "Where the time went, 1m 38s in all:",
    "  (waited to begin)   2s       2%    #",
    "  create_namespace    8s       8%    ##                     10s of undo",
    "  rollout             1m 18s   80%   ####################   3 attempts, 15s of pauses",
  ]);
});

Deno.test("timings: a step that runs counts until now, and an operation that waits has none", async () => {
  const running = create(OperationSchema, {
    createTime: at(-10),
    startTime: at(-10),
    steps: [{ name: "rollout", state: StepState.RUNNING, startTime: at(-5) }],
  });
  assert.match((await timings(running, NOW)).join("\n"), /rollout +5s +50% +#{20}$/);
  assert.deepEqual(await timings(create(OperationSchema, { createTime: at(-10) }), NOW), []);
});
