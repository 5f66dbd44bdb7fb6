/** The gRPC door, frame by frame: what a connection receives, and when it is given up. */
import assert from "node:assert/strict";
import { type Door, route, serveGrpc } from "@mpc/api";
import { DiagnosticsService } from "@mpc/proto";
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  join,
  PREFACE,
} from "../fuzz/http2_frames.ts";

const MAX_CONCURRENT_STREAMS = 0x3;
const EMPTY_MESSAGE = new Uint8Array(5);
const BEGIN = join(PREFACE, frame(FRAME.SETTINGS, 0, 0));

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: DataView;
}

/** The frames that a server sends, until it closes the connection. */
async function* frames(connection: Deno.TcpConn): AsyncGenerator<Frame> {
  let bytes = new Uint8Array();
  for await (const chunk of connection.readable) {
    bytes = join(bytes, chunk);
    for (;;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const length = bytes.length < 9 ? Infinity : view.getUint32(0) >>> 8;
      if (bytes.length < 9 + length) break;
      yield {
        type: bytes[3]!,
        flags: bytes[4]!,
        stream: view.getUint32(5),
        payload: new DataView(bytes.slice(9, 9 + length).buffer),
      };
      bytes = bytes.slice(9 + length);
    }
  }
}

async function withDoor(
  limits: Parameters<typeof serveGrpc>[0]["limits"],
  use: (connection: Deno.TcpConn, door: Door) => Promise<void>,
): Promise<void> {
  const held = Promise.withResolvers<{ version: string }>();
  const door = await serveGrpc({
    routes: [
      route(DiagnosticsService, {
        diagnose: () => ({}),
        sweepObjects: () => ({}),
        claimCluster: () => ({}),
        getActivity: () => ({}),
        getServerInfo: () => held.promise,
      }),
    ],
    listen: { host: "127.0.0.1", port: 0 },
    ...(limits && { limits }),
  });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: door.address.port });
  try {
    await use(connection, door);
  } finally {
    held.resolve({ version: "test" });
    await door.close(0);
  }
}

const test = (name: string, fn: () => Promise<void>) =>
  // Connections that grpc-js keeps for a moment after its last frame do not matter here.
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });

test("a connection that answers nothing gets a PING, and is then given up", () =>
  withDoor({ keepaliveTimeMs: 50, keepaliveTimeoutMs: 50 }, async (connection) => {
    await connection.write(BEGIN);
    const types: number[] = [];
    for await (const { type } of frames(connection)) types.push(type);
    assert.ok(types.includes(FRAME.PING), "first a PING");
    assert.equal(types.at(-1), FRAME.GOAWAY, "then the end of the connection");
  }));

test("a connection is told how many calls may run at once, and excess calls are refused", () =>
  withDoor({ maxConcurrentStreams: 2 }, async (connection) => {
    const call = headerBlock(callHeaders("/mpc.v1.DiagnosticsService/GetServerInfo"));
    const calls = [1, 3, 5].flatMap((stream) => [
      frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, call),
      frame(FRAME.DATA, FLAG.END_STREAM, stream, EMPTY_MESSAGE),
    ]);
    await connection.write(join(BEGIN, ...calls));
    let told: number | undefined;
    let refused: number | undefined;
    for await (const { type, flags, stream, payload } of frames(connection)) {
      if (type === FRAME.SETTINGS && flags === 0) {
        for (let at = 0; at < payload.byteLength; at += 6) {
          if (payload.getUint16(at) === MAX_CONCURRENT_STREAMS) told = payload.getUint32(at + 2);
        }
      }
      if (type === FRAME.RST_STREAM) {
        refused = stream;
        break;
      }
    }
    assert.deepEqual([told, refused], [2, 5], "the third is one too many");
  }));
