import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { DEFAULT_FRAME_LIMITS, FrameGuard, FrameLimitExceeded } from "./frame_guard.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const GOAWAY = 0x7;

function frame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  return Buffer.concat([head, payload]);
}

/** Cuts bytes into chunks at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

function pass(guard: FrameGuard, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks.flatMap((chunk) => [...guard.filter(chunk)]));
}

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(0x0, 0x1, 0x4, 0x6, GOAWAY, GOAWAY, 0x8, 0xff),
    payload: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 12 },
);

Deno.test("the guard leaves out GOAWAY frames and nothing else, however the bytes are cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(600), { maxLength: 30 }), (frames, places) => {
      const all = frames.map(({ type, payload }) => frame(type, payload));
      const kept = all.filter((_, index) => frames[index]?.type !== GOAWAY);
      const guard = new FrameGuard();
      const passed = pass(guard, cut(Buffer.concat([PREFACE, ...all]), places));
      assert.deepEqual(passed, Buffer.concat([PREFACE, ...kept]));
    }),
    { numRuns: 500 },
  );
});

Deno.test("the guard passes everything one byte at a time", () => {
  const bytes = Buffer.concat([
    PREFACE,
    frame(0x4, Buffer.alloc(0)),
    frame(GOAWAY, Buffer.alloc(17, 1)),
    frame(0x0, Buffer.from("data")),
  ]);
  const guard = new FrameGuard();
  const passed = pass(guard, [...bytes].map((byte) => Buffer.from([byte])));
  const wanted = [PREFACE, frame(0x4, Buffer.alloc(0)), frame(0x0, Buffer.from("data"))];
  assert.deepEqual(passed, Buffer.concat(wanted));
});

Deno.test("a chunk without GOAWAY is handed on as it is, not copied", () => {
  const chunk = Buffer.concat([PREFACE, frame(0x4, Buffer.alloc(6))]);
  assert.equal(new FrameGuard().filter(chunk)[0], chunk);
});

Deno.test("the guard knows when the preface is complete", () => {
  const guard = new FrameGuard();
  guard.filter(PREFACE.subarray(0, 23));
  assert.equal(guard.started, false);
  guard.filter(PREFACE.subarray(23));
  assert.equal(guard.started, true);
});

Deno.test("a header block over the limit is refused, CONTINUATION frames counted in", () => {
  const limits = { ...DEFAULT_FRAME_LIMITS, maxHeaderBytes: 100 };
  const guard = new FrameGuard(limits);
  guard.filter(Buffer.concat([PREFACE, frame(0x1, Buffer.alloc(60))]));
  assert.throws(() => guard.filter(frame(0x9, Buffer.alloc(60))), FrameLimitExceeded);
  const fresh = new FrameGuard(limits);
  fresh.filter(Buffer.concat([PREFACE, frame(0x1, Buffer.alloc(60))]));
  fresh.filter(frame(0x1, Buffer.alloc(60)));
});

for (
  const [name, type] of [["RST_STREAM", 0x3], ["PING", 0x6], ["SETTINGS", 0x4], [
    "CONTINUATION",
    0x9,
  ]] as const
) {
  Deno.test(`a flood of ${name} frames is refused, a trickle is not`, () => {
    let now = 0;
    const limits = { ...DEFAULT_FRAME_LIMITS, maxControlFrames: 10, windowMs: 1_000 };
    const guard = new FrameGuard(limits, () => now);
    guard.filter(PREFACE);
    for (let index = 0; index < 30; index++) {
      now += 200;
      guard.filter(frame(type, Buffer.alloc(4)));
    }
    assert.throws(() => {
      for (let index = 0; index < 11; index++) guard.filter(frame(type, Buffer.alloc(4)));
    }, FrameLimitExceeded);
  });
}
