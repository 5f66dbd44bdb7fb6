/**
 * Watchers that read and do not decode, so that they cost the machine little:
 * `raw_watchers.ts GRPC_URL WEB_URL COUNT`. Half of them watch by gRPC, half by gRPC-Web, each on a
 * connection of its own. Prints `ready` when all have begun, and exits when one ends.
 */
import { connect } from "node:net";
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
/** `skip_existing` alone, in its envelope. */
const REQUEST = Uint8Array.of(0, 0, 0, 0, 2, 0x20, 1);
/** 1 GB: more than is read here. */
const WINDOW = Uint8Array.of(0x40, 0, 0, 0);
const INITIAL_WINDOW_SIZE = Uint8Array.of(0, 4, ...WINDOW);

const BY_GRPC = join(
  PREFACE,
  frame(FRAME.SETTINGS, 0, 0, INITIAL_WINDOW_SIZE),
  frame(FRAME.WINDOW_UPDATE, 0, 0, WINDOW),
  frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, headerBlock(callHeaders(PATH))),
  frame(FRAME.DATA, FLAG.END_STREAM, 1, REQUEST),
);
const BY_WEB = join(
  new TextEncoder().encode(
    `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web+proto\r\n` +
      `Content-Length: ${REQUEST.length}\r\n\r\n`,
  ),
  REQUEST,
);

/** Resolves with the first bytes that come. */
async function watch({ hostname, port }: URL, request: Uint8Array): Promise<void> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on("close", () => Deno.exit(1));
  await once(socket, "connect");
  const first = once(socket, "data");
  socket.resume();
  socket.write(request);
  await first;
}

await Promise.all(
  Array.from(
    { length: Number(count) },
    (_, n) => n % 2 === 0 ? watch(new URL(grpc), BY_GRPC) : watch(new URL(web), BY_WEB),
  ),
);
console.log("ready");
