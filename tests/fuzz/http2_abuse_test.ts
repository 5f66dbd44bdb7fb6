/** HTTP/2 used against the gRPC door: each attack is contained, and others are still served. */
import assert from "node:assert/strict";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { callHeaders, FLAG, FRAME, frame, headerBlock, join, PREFACE } from "./http2_frames.ts";
import { type Target, withTarget } from "./target.ts";

const SETTINGS = frame(FRAME.SETTINGS, 0, 0);
const BEGIN = join(PREFACE, SETTINGS);
const CALL = headerBlock(callHeaders("/mpc.v1.DiagnosticsService/GetServerInfo"));
const EMPTY_MESSAGE = new Uint8Array(5);

/** A connection that the server has not ended by then counts as open. */
const ENDED_MS = 20_000;
/** Frames per chunk, and the maximum number of chunks of an attack. */
const CHUNK = 200;
const CHUNKS = 400;

/** Sends chunk after chunk on one connection, which the server must end. */
async function flood(
  target: Target,
  chunk: (round: number) => Uint8Array,
  what: string,
): Promise<void> {
  const connection = await connect(target);
  // Reads all the time: a server that cannot write would end any connection.
  const end = ended(connection, what);
  try {
    await connection.write(BEGIN);
    for (let round = 0; round < CHUNKS; round++) {
      const bytes = chunk(round);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    }
  } catch (error) {
    if (!isEnd(error)) throw error;
  } finally {
    await end;
    close(connection);
  }
}

const repeat = (one: (n: number) => Uint8Array) => (round: number) =>
  join(...Array.from({ length: CHUNK }, (_, n) => one(round * CHUNK + n)));

/** Streams of a client have odd numbers. */
const streamOf = (n: number) => (2 * n + 1) % 2 ** 31;

const FLOODS: Readonly<Record<string, (round: number) => Uint8Array>> = {
  "rapid reset (CVE-2023-44487)": repeat((n) =>
    join(
      frame(FRAME.HEADERS, FLAG.END_HEADERS, streamOf(n), CALL),
      frame(FRAME.RST_STREAM, 0, streamOf(n), Uint8Array.of(0, 0, 0, 8)),
    )
  ),
  "a flood of PINGs": repeat(() => frame(FRAME.PING, 0, 0, new Uint8Array(8))),
  "a flood of SETTINGS": repeat(() => SETTINGS),
  "a flood of CONTINUATIONs without an end (CVE-2024-27316)": (round) =>
    round === 0
      ? frame(FRAME.HEADERS, 0, 1, CALL)
      : repeat((n) => frame(FRAME.CONTINUATION, 0, 1, headerBlock({ [`x-${n}`]: "y" })))(round),
  "a storm of GOAWAYs": repeat(() => frame(FRAME.GOAWAY, 0, 0, new Uint8Array(8))),
  "a flood of empty DATA": (round) =>
    round === 0
      ? frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, CALL)
      : repeat(() => frame(FRAME.DATA, 0, 1))(round),
  "a flood of calls that never send their message": repeat((n) =>
    frame(FRAME.HEADERS, FLAG.END_HEADERS, streamOf(n), CALL)
  ),
};

const BROKEN: Readonly<Record<string, Uint8Array>> = {
  "another protocol": new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  "garbage after the preface": join(BEGIN, new Uint8Array(3_000).fill(0xa5)),
  "a frame that claims 16 MB": join(BEGIN, frame(FRAME.DATA, 0, 1, new Uint8Array(), 2 ** 24 - 1)),
  "a WINDOW_UPDATE of 0": join(BEGIN, frame(FRAME.WINDOW_UPDATE, 0, 0, new Uint8Array(4))),
  "a window that overflows": join(
    BEGIN,
    frame(FRAME.WINDOW_UPDATE, 0, 0, Uint8Array.of(0x7f, 255, 255, 255)),
    frame(FRAME.WINDOW_UPDATE, 0, 0, Uint8Array.of(0x7f, 255, 255, 255)),
  ),
  "a header block that cannot be decoded": join(
    BEGIN,
    frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)),
  ),
  "DATA for an unknown stream": join(BEGIN, frame(FRAME.DATA, 0, 7, EMPTY_MESSAGE)),
};

/** Asserts that the same process meanwhile serves a well-behaved client without delay. */
async function assertServes(target: Target, why: string): Promise<void> {
  const transport = createGrpcTransport(target.platform.grpc);
  const client = createClient(DiagnosticsService, transport);
  const { version } = await client.getServerInfo({}, { timeoutMs: 2_000 });
  transport.close();
  assert.notEqual(version, "", `after ${why} others are served`);
}

async function connect({ platform }: Target): Promise<Deno.TcpConn> {
  const { hostname, port } = platform.grpc;
  return await Deno.connect({ hostname, port: Number(port) });
}

async function drain(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (await connection.read(buffer) !== null);
  } catch (error) {
    if (!isEnd(error)) throw error;
  }
}

/** Asserts that the server ends a connection. */
async function ended(connection: Deno.Conn, what: string): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => late.reject(new Error(`not ended within ${ENDED_MS} ms: ${what}`)),
    ENDED_MS,
  );
  try {
    await Promise.race([drain(connection), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionAborted;
}

Deno.test({
  name: "abuse of HTTP/2 is contained",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withTarget(async (target) => {
      await assertServes(target, "nothing");
      await target.assertMemoryFlat(() => abuse(t, target));
      await target.assertWell();
    }),
});

async function abuse(t: Deno.TestContext, target: Target): Promise<void> {
  for (const [what, chunk] of Object.entries(FLOODS)) {
    await t.step(what, async () => {
      const attack = flood(target, chunk, what);
      await assertServes(target, `${what} has begun`);
      await attack;
      await assertServes(target, what);
    });
  }
  for (const [what, bytes] of Object.entries(BROKEN)) {
    await t.step(what, async () => {
      const connection = await connect(target);
      await connection.write(bytes);
      await assertServes(target, what);
      await ended(connection, what);
      close(connection);
    });
  }
  await t.step("64 kB of metadata", async () => {
    const transport = createGrpcTransport(target.platform.grpc);
    const client = createClient(DiagnosticsService, transport);
    // A character that the Huffman code makes longer (RFC 7541, appendix B).
    const headers = { "x-big": "~".repeat(64 * 1024) };
    const call = client.getServerInfo({}, { headers, timeoutMs: 2_000 });
    await assert.rejects(call, (error) => {
      const { code } = ConnectError.from(error);
      const refused = code === Code.Unavailable || code === Code.ResourceExhausted;
      assert.ok(refused, `so much is refused, not ${Code[code]}: ${error}`);
      return true;
    });
    transport.close();
    await assertServes(target, "64 kB of metadata");
  });
  await t.step("half-open prefaces are closed, and block nobody", async () => {
    const connections = await Promise.all(Array.from({ length: 200 }, () => connect(target)));
    const half = PREFACE.subarray(0, 12);
    await Promise.all(connections.map((connection) => connection.write(half)));
    await assertServes(target, "200 half-open prefaces");
    // The server ends each of them when its handshake timeout is over.
    await Promise.all(connections.map((connection) => ended(connection, "half a preface")));
    connections.forEach(close);
  });
}
