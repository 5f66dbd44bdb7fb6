/** PINGs at the gRPC door: one for each answer is allowed, as grpc-go sends them; a flood is not. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { DiagnosticsService } from "@mpc/proto";
import { type Door, route, serveGrpc } from "@mpc/api";
import { callHeaders, FLAG, FRAME, frame, headerBlock, join, PREFACE } from "./http2_frames.ts";

const FRAMES = 5_000;
const CALLS_AT_ONCE = 20;
const HEAD_BYTES = 9;
const ACK = 0x1;
const ENHANCE_YOUR_CALM = 0xb;

const BEGIN = join(PREFACE, frame(FRAME.SETTINGS, 0, 0), frame(FRAME.SETTINGS, ACK, 0));
const PING = frame(FRAME.PING, 0, 0, new Uint8Array(8));
const CALL = headerBlock(callHeaders("/mpc.v1.DiagnosticsService/GetServerInfo"));
const EMPTY_MESSAGE = new Uint8Array(5);
/** The answers to all calls are smaller than this window. */
const WINDOW = frame(FRAME.WINDOW_UPDATE, 0, 0, Uint8Array.of(0, 0x40, 0, 0));

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

async function* framesOf(socket: Socket): AsyncGenerator<Frame> {
  let left = Buffer.alloc(0);
  for await (const chunk of socket) {
    left = Buffer.concat([left, chunk]);
    while (left.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + left.readUIntBE(0, 3);
      if (left.length < end) break;
      yield { type: left[3]!, flags: left[4]!, payload: left.subarray(HEAD_BYTES, end) };
      left = left.subarray(end);
    }
  }
}

async function withDoor(use: (socket: Socket) => Promise<void>): Promise<void> {
  const getServerInfo = () => ({ version: "test" });
  const door: Door = await serveGrpc({
    routes: [
      route(DiagnosticsService, {
        diagnose: () => ({}),
        sweepObjects: () => ({}),
        claimCluster: () => ({}),
        getActivity: () => ({}),
        getServerInfo,
      }),
    ],
    listen: { host: "127.0.0.1", port: 0 },
  });
  const socket = connect({ ...door.address, noDelay: true });
  try {
    await once(socket, "connect");
    await use(socket);
  } finally {
    socket.destroy();
    await door.close(1_000);
  }
}

Deno.test(`a client that sends a PING for each of ${FRAMES} answers keeps its connection`, () =>
  withDoor(async (socket) => {
    let calls = 0;
    const call = () => {
      const stream = 2 * calls++ + 1;
      return join(
        frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, CALL),
        frame(FRAME.DATA, FLAG.END_STREAM, stream, EMPTY_MESSAGE),
      );
    };
    socket.write(join(BEGIN, WINDOW, ...Array.from({ length: CALLS_AT_ONCE }, call)));
    let answers = 0;
    let acknowledged = 0;
    for await (const { type, flags, payload } of framesOf(socket)) {
      if (type === FRAME.GOAWAY) throw new Error(`cut off: ${payload.subarray(8)}`);
      if (type === FRAME.DATA) {
        answers++;
        socket.write(calls < FRAMES ? join(PING, call()) : PING);
      }
      if (type === FRAME.PING && flags & ACK) acknowledged++;
      if (acknowledged === FRAMES) break;
    }
    assert.deepEqual({ answers, acknowledged }, { answers: FRAMES, acknowledged: FRAMES });
  }));

Deno.test(`a client that sends ${FRAMES} PINGs and gets no answers is cut off`, () =>
  withDoor(async (socket) => {
    // The server may reset the connection before all has been written.
    socket.on("error", () => {});
    socket.write(join(BEGIN, ...Array.from({ length: FRAMES }, () => PING)));
    let acknowledged = 0;
    for await (const { type, flags, payload } of framesOf(socket)) {
      if (type === FRAME.PING && flags & ACK) acknowledged++;
      if (type !== FRAME.GOAWAY) continue;
      const code = payload.readUInt32BE(4);
      const why = payload.subarray(8).toString();
      assert.deepEqual([code, why], [ENHANCE_YOUR_CALM, "too_many_pings"]);
      assert.ok(acknowledged < FRAMES / 10, `${acknowledged} PINGs were answered`);
      return;
    }
    assert.fail(`the connection ended without a GOAWAY after ${acknowledged} answers`);
  }));
