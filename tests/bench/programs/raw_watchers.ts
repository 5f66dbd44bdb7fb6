/**
 * Watchers that read and do not decode, so that they cost this machine little:
 * `raw_watchers.ts GRPC_URL WEB_URL COUNT`. Half of them watch by gRPC, half by gRPC-Web, each on a
 * connection of its own. Prints `ready` when all have begun, and then their bytes every second.
 */
import { connect } from "node:net";
import { createConnection } from "node:net";
import { once } from "node:events";
import { EventService } from "@mpc/proto";
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  join,
  PREFACE,
} from "../../fuzz/http2_frames.ts";

const [grpc = "", web = "", count = "0"] = Deno.args;
const { typeName, method: { watchEvents } } = EventService;
const PATH = `/${typeName}/${watchEvents.name}`;
/** `skip_existing` alone, as one gRPC message. */
const REQUEST = Uint8Array.of(0, 0, 0, 0, 2, 0x20, 1);
/** 1 GB: more than is read here. */
const WINDOW = Uint8Array.of(0x40, 0, 0, 0);
const INITIAL_WINDOW_SIZE = Uint8Array.of(0, 4, ...WINDOW);

let bytes = 0;

async function watchByGrpc({ hostname, port }: URL): Promise<void> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, "connect");
  const first = once(socket, "data");
  socket.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  socket.on("close", () => Deno.exit(1));
  socket.write(join(
    PREFACE,
    frame(FRAME.SETTINGS, 0, 0, INITIAL_WINDOW_SIZE),
    frame(FRAME.WINDOW_UPDATE, 0, 0, WINDOW),
    frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, headerBlock(callHeaders(PATH))),
    frame(FRAME.DATA, FLAG.END_STREAM, 1, REQUEST),
  ));
  await first;
}

async function watchByWeb(url: URL): Promise<void> {
  const socket = createConnection({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, "connect");
  const first = once(socket, "data");
  socket.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  socket.on("close", () => Deno.exit(1));
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web+proto\r\n` +
      `Content-Length: ${REQUEST.length}\r\n\r\n`,
  );
  socket.write(REQUEST);
  await first;
}

await Promise.all(
  Array.from(
    { length: Number(count) },
    (_, n) => n % 2 === 0 ? watchByGrpc(new URL(grpc)) : watchByWeb(new URL(web)),
  ),
);
console.log("ready");
setInterval(() => {
  console.log(`${Math.round(bytes / 1024)} kB`);
  bytes = 0;
}, 1_000);
