import assert from "node:assert/strict";
import stringWidth from "string-width";
import { stripVTControlCharacters } from "node:util";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { OperationSchema, type OperationStep, OperationStepSchema, StepState } from "@mpc/proto";
import { drawnSteps, plainStep } from "./steps.ts";

const NOW = Date.UTC(2030, 0, 1);
const at = (seconds: number) => timestampFromMs(NOW + seconds * 1_000);

const waiting = create(OperationStepSchema, {
  name: "apply_workload",
  state: StepState.RUNNING,
  startTime: at(-10),
  attempts: [
    { number: 1, startTime: at(-10), endTime: at(-9), error: { message: "no answer" } },
    {
      number: 2,
      startTime: at(-2),
      endTime: at(-1),
      error: { message: "no answer" },
      nextRetryTime: at(4),
    },
  ],
});

const CASES: readonly (readonly [string, OperationStep, string])[] = [
  [
    "a step that waits for its next attempt",
    waiting,
    "▸ apply_workload runs: attempt 3 in 4s, because no answer",
  ],
  [
    "a step that is attempted again",
    create(OperationStepSchema, {
      name: "apply_workload",
      state: StepState.RUNNING,
      progress: "half way",
      attempts: [{ number: 2, startTime: at(-1) }],
    }),
    "▸ apply_workload runs: attempt 2, half way",
  ],
  [
    "a step that succeeded",
    create(OperationStepSchema, {
      name: "await_rollout",
      state: StepState.SUCCEEDED,
      progress: "2 of 2 replicas ready",
      startTime: at(-3),
      endTime: at(-1.5),
      attempts: [{ number: 1, startTime: at(-3), endTime: at(-1.5) }],
    }),
    "✓ await_rollout succeeded (1.5s)",
  ],
  [
    "a step that failed",
    create(OperationStepSchema, {
      name: "await_rollout",
      state: StepState.FAILED,
      startTime: at(-3),
      endTime: at(-1),
      attempts: [{ number: 1, endTime: at(-1), error: { message: "it crashed" } }],
    }),
    "✗ await_rollout failed (2s): it crashed",
  ],
];

for (const [title, step, line] of CASES) {
  Deno.test(`plainStep() formats ${title}`, () => assert.equal(plainStep(step, NOW), line));
}

Deno.test("drawnSteps() animates a spinner, and keeps to the width of the terminal", () => {
  const operation = create(OperationSchema, { steps: [waiting] });
  const draw = (frame: number, columns: number, color: boolean) =>
    drawnSteps(operation, NOW, frame, columns, color, stringWidth)[0] ?? "";
  const first = draw(0, 40, true);
  assert.notEqual(first, draw(1, 40, true));
  assert.match(first, /⠋ apply_workload 10s attempt 3 in 4s/);
  const bare = stripVTControlCharacters(first);
  assert.ok(bare.length < 40, bare);
  assert.equal(draw(0, 40, false), bare, "without colours the text is the same");
});

Deno.test("drawnSteps() counts a wide character as two columns, and cuts none in half", () => {
  const step = create(OperationStepSchema, {
    name: "apply",
    state: StepState.FAILED,
    attempts: [{ number: 1, error: { message: "画像が見つかりません" } }],
  });
  const operation = create(OperationSchema, { steps: [step] });
  assert.deepEqual(drawnSteps(operation, NOW, 0, 14, false, stringWidth), ["✗ apply 画像"]);
  assert.deepEqual(drawnSteps(operation, NOW, 0, 15, false, stringWidth), ["✗ apply 画像が"]);
});
