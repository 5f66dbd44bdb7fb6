import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fuzzedBytes } from "../../tests/fuzz/fuzz_frames.ts";
import { seededRandom } from "../../tests/fuzz/seeded_random.ts";
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  join,
  PREFACE,
} from "../../tests/fuzz/http2_frames.ts";
import { DEFAULT_FRAME_LIMITS, type GuardedCalls } from "./connection_state.ts";
import { FrameGuard } from "./frame_guard.ts";
import { ConnectionError, ERROR_CODE } from "./http2_frames.ts";

const SETTINGS = frame(FRAME.SETTINGS, 0, 0);
const BEGIN = join(PREFACE, SETTINGS);
const BLOCK = headerBlock(callHeaders("/a.B/C"));
const EMPTY_MESSAGE = new Uint8Array(5);
const DONE = FLAG.END_HEADERS | FLAG.END_STREAM;
const headers = (stream: number, flags: number = FLAG.END_HEADERS) =>
  frame(FRAME.HEADERS, flags, stream, BLOCK);
const data = (stream: number, flags = 0, payload: Uint8Array = EMPTY_MESSAGE) =>
  frame(FRAME.DATA, flags, stream, payload);
const uint32 = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};
const reset = (stream: number) => frame(FRAME.RST_STREAM, 0, stream, uint32(8));
const windowUpdate = (stream: number, increment: number) =>
  frame(FRAME.WINDOW_UPDATE, 0, stream, uint32(increment));
const setting = (id: number, value: number) =>
  frame(FRAME.SETTINGS, 0, 0, join(Uint8Array.of(0, id), uint32(value)));
const ping = (flags = 0) => frame(FRAME.PING, flags, 0, new Uint8Array(8));

function pass(guard: FrameGuard, ...chunks: readonly Uint8Array[]): Buffer {
  const passed: Uint8Array[] = [];
  for (const chunk of chunks) assert.equal(guard.filter(chunk, passed), undefined);
  return Buffer.concat(passed);
}

/** The bytes that the guard passes on, or the code with which the connection ends. */
function outcome(chunks: readonly Uint8Array[]): Buffer | string {
  try {
    return pass(new FrameGuard(), ...chunks);
  } catch (error) {
    if (error instanceof ConnectionError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** Splits bytes into chunks at the given positions. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

const seeds = fc.nat(2 ** 31);

Deno.test("how the bytes are split into chunks makes no difference", () => {
  const places = fc.array(fc.nat(4_000), { maxLength: 40 });
  fc.assert(
    fc.property(seeds, places, (seed, places) => {
      const bytes = fuzzedBytes(seededRandom(seed));
      assert.deepEqual(outcome(cut(bytes, places)), outcome([bytes]));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("single bytes have the same result as all bytes together", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const bytes = fuzzedBytes(seededRandom(seed));
      const single = [...bytes].map((byte) => Uint8Array.of(byte));
      assert.deepEqual(outcome(single), outcome([bytes]));
    }),
    { numRuns: 200 },
  );
});

Deno.test("a chunk from which nothing is dropped is passed on without a copy", () => {
  const chunk = join(BEGIN, headers(1), data(1, FLAG.END_STREAM), ping());
  const passed: Uint8Array[] = [];
  new FrameGuard().filter(chunk, passed);
  assert.equal(passed.length, 1);
  assert.equal(passed[0], chunk);
});

for (
  const [what, left] of [
    ["GOAWAY", frame(FRAME.GOAWAY, 0, 0, new Uint8Array(17))],
    ["a PING acknowledgement that the server did not ask for", ping(1)],
    ["a SETTINGS acknowledgement that the server did not ask for", frame(FRAME.SETTINGS, 1, 0)],
    ["PRIORITY", frame(0x2, 0, 1, new Uint8Array(5))],
    ["an unknown frame", frame(0x42, 0, 1, new Uint8Array(30))],
    ["RST_STREAM of a stream that is closed", join(reset(1), reset(1)).subarray(13)],
  ] as const
) {
  Deno.test(`the guard drops ${what}, and nothing around it`, () => {
    const [before, after] = [join(BEGIN, headers(1), reset(1), headers(3)), data(3)];
    const passed = pass(new FrameGuard(), join(before, left, after));
    assert.deepEqual(passed, Buffer.concat([before, after]));
  });
}

Deno.test("a PING acknowledgement that the server waits for is passed on, once", () => {
  const guard = new FrameGuard();
  pass(guard, BEGIN);
  guard.sent(ping());
  assert.deepEqual(pass(guard, ping(1)), Buffer.from(ping(1)));
  assert.deepEqual(pass(guard, ping(1)), Buffer.alloc(0));
});

Deno.test("the guard knows when the client has begun", () => {
  const guard = new FrameGuard();
  pass(guard, PREFACE);
  assert.equal(guard.started, false);
  pass(guard, SETTINGS);
  assert.equal(guard.started, true);
});

const { PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR } =
  ERROR_CODE;
const FORBIDDEN: readonly (readonly [string, number, Uint8Array])[] = [
  ["HEADERS on stream 0", PROTOCOL_ERROR, headers(0)],
  ["HEADERS on a stream of the server", PROTOCOL_ERROR, headers(2)],
  ["HEADERS on a skipped stream", PROTOCOL_ERROR, join(headers(5), headers(3))],
  ["HEADERS on a stream that the client ended", STREAM_CLOSED, join(headers(1, DONE), headers(1))],
  [
    "HEADERS on a stream that the client reset",
    STREAM_CLOSED,
    join(headers(1), reset(1), headers(1)),
  ],
  [
    "HEADERS that cannot be decoded",
    COMPRESSION_ERROR,
    frame(0x1, 4, 1, Uint8Array.of(0xff, 0xff)),
  ],
  ["HEADERS with more padding than bytes", PROTOCOL_ERROR, frame(0x1, 0xc, 1, Uint8Array.of(9, 0))],
  [
    "HEADERS that depend on their stream",
    PROTOCOL_ERROR,
    frame(0x1, 0x24, 1, join(uint32(1), BLOCK)),
  ],
  ["CONTINUATION without HEADERS", PROTOCOL_ERROR, frame(0x9, 4, 1)],
  ["a frame inside a header block", PROTOCOL_ERROR, join(headers(1, 0), ping())],
  ["CONTINUATION of another stream", PROTOCOL_ERROR, join(headers(1, 0), frame(0x9, 4, 3))],
  ["DATA on stream 0", PROTOCOL_ERROR, data(0)],
  ["DATA on an idle stream", PROTOCOL_ERROR, data(1)],
  ["DATA after the end", STREAM_CLOSED, join(headers(1, DONE), data(1))],
  ["DATA after the reset", STREAM_CLOSED, join(headers(1), reset(1), data(1))],
  [
    "DATA with more padding than bytes",
    PROTOCOL_ERROR,
    join(headers(1), data(1, 8, Uint8Array.of(5))),
  ],
  [
    "more DATA than the window allows",
    FLOW_CONTROL_ERROR,
    join(headers(1), ...Array(5).fill(data(1, 0, new Uint8Array(16_000)))),
  ],
  ["RST_STREAM on an idle stream", PROTOCOL_ERROR, reset(1)],
  [
    "RST_STREAM of 5 bytes",
    FRAME_SIZE_ERROR,
    join(headers(1), frame(0x3, 0, 1, new Uint8Array(5))),
  ],
  ["WINDOW_UPDATE of 0 on the connection", PROTOCOL_ERROR, windowUpdate(0, 0)],
  ["WINDOW_UPDATE of 0 on a stream", PROTOCOL_ERROR, join(headers(1), windowUpdate(1, 0))],
  ["WINDOW_UPDATE on an idle stream", PROTOCOL_ERROR, windowUpdate(1, 1)],
  ["a connection's window that overflows", FLOW_CONTROL_ERROR, windowUpdate(0, 2 ** 31 - 1)],
  [
    "a stream's window that SETTINGS make overflow",
    FLOW_CONTROL_ERROR,
    join(headers(1), windowUpdate(1, 2 ** 30), setting(4, 2 ** 31 - 1)),
  ],
  ["SETTINGS on a stream", PROTOCOL_ERROR, frame(0x4, 0, 1)],
  ["SETTINGS of 5 bytes", FRAME_SIZE_ERROR, frame(0x4, 0, 0, new Uint8Array(5))],
  [
    "an acknowledgement of SETTINGS with a payload",
    FRAME_SIZE_ERROR,
    frame(0x4, 1, 0, new Uint8Array(6)),
  ],
  ["ENABLE_PUSH of 2", PROTOCOL_ERROR, setting(2, 2)],
  ["an initial window of 2^31", FLOW_CONTROL_ERROR, setting(4, 2 ** 31)],
  ["a largest frame of 1 byte", PROTOCOL_ERROR, setting(5, 1)],
  ["PING on a stream", PROTOCOL_ERROR, frame(0x6, 0, 1, new Uint8Array(8))],
  ["PING of 7 bytes", FRAME_SIZE_ERROR, frame(0x6, 0, 0, new Uint8Array(7))],
  ["GOAWAY on a stream", PROTOCOL_ERROR, frame(0x7, 0, 1, new Uint8Array(8))],
  ["PRIORITY on stream 0", PROTOCOL_ERROR, frame(0x2, 0, 0, new Uint8Array(5))],
  ["PRIORITY of 4 bytes", FRAME_SIZE_ERROR, frame(0x2, 0, 1, new Uint8Array(4))],
  ["PUSH_PROMISE", PROTOCOL_ERROR, join(headers(1), frame(0x5, 4, 1, uint32(2)))],
  ["a frame of more than 16 kB", FRAME_SIZE_ERROR, frame(0x0, 0, 1, new Uint8Array(), 16_385)],
];

for (const [what, code, bytes] of FORBIDDEN) {
  Deno.test(`a connection ends with its error code after ${what}`, () => {
    assert.throws(
      () => pass(new FrameGuard(), BEGIN, bytes),
      (error) => error instanceof ConnectionError && error.code === code,
    );
  });
}

Deno.test("a connection that does not begin with SETTINGS ends", () => {
  assert.throws(() => pass(new FrameGuard(), PREFACE, ping()), ConnectionError);
  assert.throws(() => pass(new FrameGuard(), Buffer.from("GET / HTTP/1.1\r\n")), ConnectionError);
});

Deno.test("frames that cross a reset by the server are accepted", () => {
  const guard = new FrameGuard();
  pass(guard, BEGIN, headers(1));
  guard.sent(reset(1));
  assert.equal(pass(guard, data(1), headers(1, DONE)).length, 14 + headers(1).length);
});

Deno.test("a stream is known to be closed as soon as its client has reset it", () => {
  const guard = new FrameGuard();
  pass(guard, join(BEGIN, headers(1), reset(1), headers(3)));
  assert.deepEqual([1, 3, 5].map((stream) => guard.isClosed(stream)), [true, false, false]);
});

Deno.test("streams over the announced limit end the connection once the client knows the limit", () => {
  const limits = { ...DEFAULT_FRAME_LIMITS, maxConcurrentStreams: 2 };
  const guard = new FrameGuard(limits);
  guard.sent(SETTINGS);
  // nghttp2 itself refuses these while SETTINGS are on their way.
  pass(guard, BEGIN, headers(1), headers(3), headers(5));
  guard.sent(reset(5));
  pass(guard, frame(FRAME.SETTINGS, 1, 0));
  assert.throws(() => pass(guard, headers(7)), ConnectionError);
});

Deno.test("windows include what the server sends, so a long connection is not cut", () => {
  const guard = new FrameGuard();
  pass(guard, BEGIN, headers(1, DONE), windowUpdate(0, 2 ** 31 - 70_000));
  guard.sent(data(1, 0, new Uint8Array(10_000)));
  pass(guard, windowUpdate(0, 10_000));
  assert.throws(() => pass(guard, windowUpdate(0, 10_000)), ConnectionError);
});

const fewer = { burst: 10, perSecond: 1 };
const LOW = {
  ...DEFAULT_FRAME_LIMITS,
  pings: fewer,
  windowUpdates: fewer,
  settings: fewer,
  resets: fewer,
  idleFrames: fewer,
};
const FLOODS: readonly (readonly [string, (n: number) => Uint8Array])[] = [
  ["PING", () => ping()],
  ["PING acknowledgements", () => ping(1)],
  ["SETTINGS", () => SETTINGS],
  ["GOAWAY", () => frame(FRAME.GOAWAY, 0, 0, new Uint8Array(8))],
  ["WINDOW_UPDATE", () => windowUpdate(0, 1)],
  ["RST_STREAM", (n) => join(headers(2 * n + 1), reset(2 * n + 1))],
  ["empty DATA", (n) => n === 0 ? headers(1) : data(1, 0, new Uint8Array())],
];

for (const [what, at] of FLOODS) {
  Deno.test(`a flood of ${what} ends the connection, a trickle does not`, () => {
    let now = 0;
    const guard = new FrameGuard(LOW, undefined, () => now);
    pass(guard, BEGIN);
    let sent = 0;
    for (; sent < 30; sent++, now += 1_000) pass(guard, at(sent));
    assert.throws(
      () => {
        for (; sent < 60; sent++) pass(guard, at(sent));
      },
      (error) => error instanceof ConnectionError && error.code === ERROR_CODE.ENHANCE_YOUR_CALM,
    );
  });
}

Deno.test("a client that sends a PING for each answer is not cut, at any rate", () => {
  const guard = new FrameGuard(LOW, undefined, () => 0);
  pass(guard, BEGIN);
  for (let stream = 1; stream < 20_000; stream += 2) {
    pass(guard, headers(stream, DONE), ping());
    guard.sent(join(headers(stream), data(stream), headers(stream, DONE)));
    pass(guard, ping(), windowUpdate(0, 5));
  }
});

/** Calls of a peer with a limit of bytes, and their outcomes. */
class Calls implements GuardedCalls {
  held = 0;
  turn = Infinity;
  readonly refused: [number, number][] = [];

  constructor(readonly maxBytes: number) {}

  start(): boolean {
    return this.turn-- > 0;
  }

  hold(bytes: number): boolean {
    if (this.held + bytes > this.maxBytes) return false;
    this.held += bytes;
    return true;
  }

  release(bytes: number): void {
    this.held -= bytes;
  }

  refuse(stream: number, code: number): void {
    this.refused.push([stream, code]);
  }
}

Deno.test("bytes of a request count until the server answers, resets or closes", () => {
  const calls = new Calls(20_000);
  const guard = new FrameGuard(DEFAULT_FRAME_LIMITS, calls);
  pass(
    guard,
    BEGIN,
    ...[1, 3, 5, 7].flatMap((s) => [headers(s), data(s, 0, new Uint8Array(3_000))]),
  );
  assert.ok(calls.held > 12_000);
  guard.sent(headers(1));
  guard.sent(reset(3));
  pass(guard, reset(5));
  assert.ok(calls.held > 3_000 && calls.held < 4_000);
  guard.close();
  assert.equal(calls.held, 0);
});

Deno.test("a call that sends more than the peer's share is refused, others go on", () => {
  const calls = new Calls(10_000);
  const guard = new FrameGuard(DEFAULT_FRAME_LIMITS, calls);
  pass(guard, BEGIN, headers(1), data(1, 0, new Uint8Array(9_000)));
  pass(guard, headers(3), data(3, 0, new Uint8Array(9_000)));
  assert.deepEqual(calls.refused.at(-1), [3, ERROR_CODE.ENHANCE_YOUR_CALM]);
  guard.sent(reset(3));
  pass(guard, data(1, FLAG.END_STREAM, new Uint8Array()));
});

Deno.test("a request that is not complete in time is refused, and one that is answered is not", () => {
  let now = 0;
  const calls = new Calls(Infinity);
  const limits = { ...DEFAULT_FRAME_LIMITS, requestTimeoutMs: 1_000 };
  const guard = new FrameGuard(limits, calls, () => now);
  pass(guard, BEGIN, headers(1), data(1), headers(3), headers(5, DONE));
  now = 800;
  guard.sent(headers(3));
  now = 1_500;
  guard.checkDeadlines();
  guard.checkDeadlines();
  assert.deepEqual(calls.refused, [[1, ERROR_CODE.ENHANCE_YOUR_CALM]]);
});

for (
  const [what, bytes] of [["frame", ping().subarray(0, 12)], ["block", headers(1, 0)]] as const
) {
  Deno.test(`a ${what} that does not end in time ends the connection`, () => {
    let now = 0;
    const guard = new FrameGuard(DEFAULT_FRAME_LIMITS, undefined, () => now);
    pass(guard, BEGIN, bytes);
    now = 9_000;
    guard.checkDeadlines();
    now = 11_000;
    assert.throws(() => guard.checkDeadlines(), ConnectionError);
  });
}

Deno.test("calls and messages over the peer's turn wait, wherever the bytes are split, and nothing is lost", () => {
  const calls = [1, 3, 5, 7, 9].map((stream) => join(headers(stream), data(stream)));
  const bytes = join(BEGIN, ...calls);
  for (let place = 0; place <= bytes.length; place++) {
    const peer = new Calls(Infinity);
    const guard = new FrameGuard(DEFAULT_FRAME_LIMITS, peer);
    const passed: Uint8Array[] = [];
    for (let chunk of cut(bytes, [place])) {
      for (;;) {
        peer.turn = 2;
        const taken = guard.filter(chunk, passed);
        if (taken === undefined) break;
        chunk = chunk.subarray(taken);
      }
    }
    assert.deepEqual(Buffer.concat(passed), Buffer.from(bytes), `cut at ${place}`);
  }
});

Deno.test("a header block has at most eight CONTINUATIONs, whether it ends with the last or not", () => {
  const blockOf = (count: number) =>
    join(
      BEGIN,
      frame(FRAME.HEADERS, FLAG.END_STREAM, 1, BLOCK.subarray(0, BLOCK.length - count)),
      ...Array.from({ length: count }, (_, index) => {
        const at = BLOCK.length - count + index;
        const flags = index === count - 1 ? FLAG.END_HEADERS : 0;
        return frame(FRAME.CONTINUATION, flags, 1, BLOCK.subarray(at, at + 1));
      }),
    );
  assert.deepEqual(pass(new FrameGuard(), blockOf(8)), Buffer.from(blockOf(8)));
  assert.throws(() => pass(new FrameGuard(), blockOf(9)), ConnectionError);
});

Deno.test("a header block has at most 128 kB, before it has ended", () => {
  const chunk = new Uint8Array(16_000);
  const open = (count: number) =>
    join(
      BEGIN,
      frame(FRAME.HEADERS, 0, 1, chunk),
      ...Array.from({ length: count }, () => frame(FRAME.CONTINUATION, 0, 1, chunk)),
    );
  assert.deepEqual(pass(new FrameGuard(), open(7)), Buffer.from(BEGIN), "it waits for its end");
  assert.throws(() => pass(new FrameGuard(), open(8)), ConnectionError);
});
