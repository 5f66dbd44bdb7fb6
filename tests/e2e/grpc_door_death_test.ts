/**
 * Bytes that are dangerous to the HTTP/2 stack behind the gRPC door, sent to a real process. The
 * first two crashed an earlier door every time; PING acknowledgements sometimes corrupt memory.
 */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  join,
  PREFACE,
} from "../fuzz/http2_frames.ts";
import { startDeno } from "../servers/subprocess.ts";

const CONNECTIONS = 50;
const END_MS = 10_000;
const BEGIN = join(PREFACE, frame(FRAME.SETTINGS, 0, 0));
const GET = callHeaders("/mpc.v1.DiagnosticsService/GetServerInfo");
const open = (stream: number, headers: Readonly<Record<string, string>>, flags = 0) =>
  frame(FRAME.HEADERS, FLAG.END_HEADERS | flags, stream, headerBlock(headers));
const NO_GRPC = open(1, { ...GET, "content-type": "text/html" });
const UNKNOWN = open(1, { ...GET, ":path": "/no.Such/Method" });
const CALL = join(open(1, GET), frame(FRAME.DATA, FLAG.END_STREAM, 1, new Uint8Array(5)));
const uint32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const windowUpdate = (stream: number, increment: number) =>
  frame(FRAME.WINDOW_UPDATE, 0, stream, uint32(increment));
const RESET = frame(FRAME.RST_STREAM, 0, 1, uint32(8));

const DANGEROUS: Readonly<Record<string, Uint8Array>> = {
  "a refused call and a connection error": join(NO_GRPC, windowUpdate(0, 0)),
  "an unknown method and a connection error": join(UNKNOWN, windowUpdate(0, 0)),
  "a refused call and its reset": join(NO_GRPC, RESET),
  "a call and a connection error": join(CALL, windowUpdate(0, 0)),
  "a call and a stream's window that overflows": join(CALL, windowUpdate(1, 2 ** 31 - 1)),
  "a call and a block that cannot be decoded": join(
    CALL,
    frame(FRAME.HEADERS, FLAG.END_HEADERS, 3, Uint8Array.of(0xff, 0xff, 0xff)),
  ),
  "unexpected PING acknowledgements": join(
    CALL,
    ...Array<Uint8Array>(20).fill(frame(FRAME.PING, 0x1, 0, new Uint8Array(8))),
  ),
  "unexpected SETTINGS acknowledgements": join(
    CALL,
    ...Array<Uint8Array>(20).fill(frame(FRAME.SETTINGS, 0x1, 0)),
  ),
  "SETTINGS that make a window overflow": join(
    open(1, GET),
    windowUpdate(1, 2 ** 30),
    frame(FRAME.SETTINGS, 0, 0, join(Uint8Array.of(0, 4), uint32(2 ** 31 - 1))),
  ),
};

Deno.test({
  name: "bytes that are dangerous to the HTTP/2 stack at most end their connection",
  // Connections that grpc-js keeps after a client is closed do not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
    const server = startDeno(["run", "--allow-all", script]);
    try {
      const { pid, plain } = await server.line((line) =>
        line.startsWith("{") ? JSON.parse(line) : undefined
      );
      for (const [what, bytes] of Object.entries(DANGEROUS)) {
        await t.step(what, async () => {
          const all = Array.from({ length: CONNECTIONS }, () => send(plain, join(BEGIN, bytes)));
          await Promise.all(all);
          await answers(plain);
          assert.equal(server.pid, pid, "it is still the same process");
          assert.doesNotMatch(server.output(), /fault of the|[Uu]ncaught/);
        });
      }
    } finally {
      server.kill("SIGKILL");
      await server.status;
    }
  },
});

/** Sends bytes in one write, and reads until the server answers or closes. */
async function send(port: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await connection.write(bytes);
    const buffer = new Uint8Array(4_096);
    await connection.read(buffer);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    connection.close();
  }
}

async function answers(port: number): Promise<void> {
  const transport = createGrpcTransport(new URL(`grpc://127.0.0.1:${port}`));
  try {
    const client = createClient(DiagnosticsService, transport);
    const { version } = await client.getServerInfo({}, { timeoutMs: END_MS });
    assert.equal(version, "test");
  } finally {
    transport.close();
  }
}
