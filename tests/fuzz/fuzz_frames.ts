/**
 * Fuzzes a door with HTTP/2 connections that are valid except for a few mutations. Manually:
 * `deno run -A tests/fuzz/fuzz_frames.ts <host:port> [connections] [seed] [first]`.
 */
import assert from "node:assert/strict";
import { callHeaders, FLAG, FRAME, frame, headerBlock, join, PREFACE } from "./http2_frames.ts";
import { type Random, seededRandom } from "./seeded_random.ts";

export interface FrameFuzz {
  readonly hostname: string;
  readonly port: number;
  readonly connections: number;
  readonly seed: number;
  /** The bytes of a connection, by default HTTP/2; one that stays whole is answered by `lastping`. */
  readonly bytesOf?: (random: Random) => Uint8Array;
  /** The first connection, to repeat a part of a run. */
  readonly first?: number;
  /** Aborts when continuing is pointless, for instance because the server has died. */
  readonly signal?: AbortSignal;
}

/** The outcomes of the connections. */
export interface FuzzResult {
  /** Connections that answered what stands behind all the rest, for instance a PING. */
  answered: number;
  /** Connections that the server closed. */
  closed: number;
  /** Connections that sent nothing more. */
  silent: number;
}

const AT_ONCE = 32;
/** The minimum time for an answer or a close; the server waits for the rest of incomplete frames. */
const MIN_PATIENCE_MS = 100;
/** A mutated connection may take this many times as long as the slowest recent valid one. */
const PATIENCE = 2;
/** One valid connection, which must be answered, is opened per this many mutated ones. */
const PROBE_EVERY = 25;
const MAX_PROBE_MS = 10_000;
/** The number of recent valid connections that set the patience. */
const PROBES = 4;
const PATHS = [
  "/mpc.v1.DiagnosticsService/GetServerInfo",
  "/mpc.v1.EventService/WatchEvents",
  "/mpc.v1.EnvironmentService/GetEnvironment",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/no.Such/Method",
];
const LAST_PING = Uint8Array.of(0x6c, 0x61, 0x73, 0x74, 0x70, 0x69, 0x6e, 0x67);
/** A valid HTTP/2 connection, which both doors accept. */
const VALID = join(
  PREFACE,
  frame(FRAME.SETTINGS, 0, 0),
  frame(FRAME.PING, 0, 0, LAST_PING),
);

/**
 * Opens connections, several at once. The same seed sends the same bytes.
 * @throws {Error} if a connection is refused, with the seed and the open connections
 */
export async function fuzzFrames(options: FrameFuzz): Promise<FuzzResult> {
  const { connections, seed, first = 0, signal } = options;
  const result = { answered: 0, closed: 0, silent: 0 };
  const open = new Set<number>();
  const probes: number[] = [];
  let next = first;
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections) }, async () => {
    while (next < first + connections && !signal?.aborted) {
      const index = next++;
      open.add(index);
      try {
        if (index % PROBE_EVERY === 0) {
          probes.push(await probe(options));
          if (probes.length > PROBES) probes.shift();
        }
        const patienceMs = Math.max(MIN_PATIENCE_MS, PATIENCE * Math.max(...probes));
        result[await fuzzConnection(options, seededRandom(seed, index), patienceMs)]++;
      } catch (cause) {
        const message = `connection ${index} of seed ${seed} failed; open: ${[...open].join(", ")}`;
        throw new Error(message, { cause });
      }
      open.delete(index);
    }
  }));
  return result;
}

/** @returns how long a valid connection took to be answered, in milliseconds */
async function probe({ hostname, port }: FrameFuzz): Promise<number> {
  const start = performance.now();
  const connection = await Deno.connect({ hostname, port });
  const timer = setTimeout(() => connection.close(), MAX_PROBE_MS);
  try {
    await connection.write(VALID);
    assert.equal(await untilAnswered(connection), "answered", "a valid connection is answered");
  } finally {
    clearTimeout(timer);
  }
  connection.close();
  return performance.now() - start;
}

async function fuzzConnection(
  { hostname, port, bytesOf = fuzzedBytes }: FrameFuzz,
  random: Random,
  patienceMs: number,
): Promise<keyof FuzzResult> {
  const bytes = bytesOf(random);
  const connection = await Deno.connect({ hostname, port });
  const timer = setTimeout(() => close(connection), patienceMs);
  let closedByUs = false;
  const close = (connection: Deno.TcpConn) => {
    if (closedByUs) return;
    closedByUs = true;
    connection.close();
  };
  try {
    const reading = untilAnswered(connection).catch((error) => {
      if (isEnd(error)) return closedByUs ? "silent" : "closed";
      throw error;
    });
    const cuts = random.chance(0.5) ? [] : Array.from(
      { length: random.below(4) },
      () => random.below(bytes.length + 1),
    ).sort((a, b) => a - b);
    for (const [start, end] of pieces(bytes.length, cuts)) {
      for (let at = start; at < end;) at += await connection.write(bytes.subarray(at, end));
    }
    if (random.chance(0.1)) {
      // Some leave without waiting for anything.
      close(connection);
      await reading;
      return "silent";
    }
    return await reading;
  } catch (error) {
    if (isEnd(error)) return closedByUs ? "silent" : "closed";
    throw error;
  } finally {
    clearTimeout(timer);
    close(connection);
  }
}

/** Reads until the server answers what stands behind all the rest, or closes. */
async function untilAnswered(connection: Deno.TcpConn): Promise<"answered" | "closed"> {
  const buffer = new Uint8Array(16_384);
  let tail = "";
  for (;;) {
    const length = await connection.read(buffer);
    if (length === null) return "closed";
    tail = (tail + String.fromCharCode(...buffer.subarray(0, length))).slice(-2 * 16_384);
    if (tail.includes("lastping")) return "answered";
  }
}

function* pieces(length: number, cuts: readonly number[]): Generator<[number, number]> {
  let start = 0;
  for (const cut of [...cuts, length]) {
    if (cut > start) yield [start, cut];
    start = cut;
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected;
}

/** The bytes of a whole connection: calls and control frames, mutated, and a PING at the end. */
export function fuzzedBytes(random: Random): Uint8Array<ArrayBuffer> {
  const frames = validFrames(random);
  for (let left = random.of([0, 1, 1, 2, 4]); left > 0; left--) mutate(frames, random);
  frames.push(frame(FRAME.PING, 0, 0, LAST_PING));
  const bytes = join(PREFACE, ...frames);
  if (random.chance(0.05)) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function validFrames(random: Random): Uint8Array<ArrayBuffer>[] {
  const frames = [frame(FRAME.SETTINGS, 0, 0, random.chance(0.5) ? settings(random) : undefined)];
  if (random.chance(0.7)) frames.push(frame(FRAME.SETTINGS, 0x1, 0));
  let stream = 1;
  for (let calls = random.below(6); calls > 0; calls--, stream += 2) {
    frames.push(...call(random, stream));
    if (random.chance(0.4)) frames.push(controlFrame(random, stream));
  }
  // Interleaved calls: frames of different streams are reordered, those of one stream keep their
  // order.
  if (random.chance(0.3)) interleave(frames, random);
  return frames;
}

function call(random: Random, stream: number): Uint8Array<ArrayBuffer>[] {
  const headers: Record<string, string> = {
    ...callHeaders(random.of(PATHS)),
    ...(random.chance(0.3) && { "grpc-timeout": `${random.below(500)}m` }),
    ...(random.chance(0.2) && { "content-type": random.of(["text/html", "application/json"]) }),
    ...(random.chance(0.1) && { ":method": random.of(["GET", "OPTIONS", "CONNECT"]) }),
    ...(random.chance(0.1) && { "content-length": `${random.below(20)}` }),
    ...(random.chance(0.1) && { [`x-${random.below(9)}`]: "v".repeat(random.below(3_000)) }),
  };
  if (random.chance(0.05)) delete headers[random.of(Object.keys(headers))];
  const block = headerBlock(headers);
  const alone = random.chance(0.1) ? FLAG.END_STREAM : 0;
  const frames: Uint8Array<ArrayBuffer>[] = [];
  const form = random.below(5);
  if (form === 0) {
    const cut = random.below(block.length);
    frames.push(frame(FRAME.HEADERS, alone, stream, block.subarray(0, cut)));
    frames.push(frame(FRAME.CONTINUATION, FLAG.END_HEADERS, stream, block.subarray(cut)));
  } else if (random.chance(0.2)) {
    frames.push(
      frame(FRAME.HEADERS, FLAG.END_HEADERS | 0x8 | alone, stream, padded(block, random)),
    );
  } else {
    frames.push(frame(FRAME.HEADERS, FLAG.END_HEADERS | alone, stream, block));
  }
  if (alone || random.chance(0.1)) return frames;
  const message = new Uint8Array(5 + random.below(30));
  message[4] = random.chance(0.8) ? message.length - 5 : random.below(256);
  const trailers = random.chance(0.1);
  const end = trailers ? 0 : FLAG.END_STREAM;
  frames.push(
    random.chance(0.2)
      ? frame(FRAME.DATA, end | 0x8, stream, padded(message, random))
      : frame(FRAME.DATA, end, stream, message),
  );
  if (trailers) {
    const flags = FLAG.END_HEADERS | FLAG.END_STREAM;
    frames.push(frame(FRAME.HEADERS, flags, stream, headerBlock({ "x-end": "1" })));
  }
  if (random.chance(0.2)) {
    frames.push(frame(FRAME.RST_STREAM, 0, stream, uint32(random.below(14))));
  }
  return frames;
}

function controlFrame(random: Random, stream: number): Uint8Array<ArrayBuffer> {
  const id = random.chance(0.1) ? random.below(20) : stream;
  switch (random.below(9)) {
    case 0:
      return frame(FRAME.PING, 0, 0, new Uint8Array(8));
    case 1:
      return frame(FRAME.PING, 0x1, 0, new Uint8Array(8));
    case 2:
      return frame(FRAME.GOAWAY, 0, 0, new Uint8Array(8 + random.below(9)));
    case 3:
      return frame(
        FRAME.WINDOW_UPDATE,
        0,
        id,
        uint32(random.chance(0.1) ? 0 : random.of([1, 65_535, 2 ** 30])),
      );
    case 4:
      return frame(FRAME.SETTINGS, 0, 0, settings(random));
    case 5:
      return frame(FRAME.SETTINGS, 0x1, 0);
    case 6:
      return frame(0x2, 0, id, join(uint32(random.below(100)), Uint8Array.of(9)));
    case 7:
      return frame(FRAME.RST_STREAM, 0, id, uint32(random.below(14)));
    default:
      return frame(10 + random.below(8), random.below(256), id, random.bytes(random.below(20)));
  }
}

/** Allowed values of settings, by number; others are mixed in occasionally. */
const SETTING_VALUES: Readonly<Record<number, readonly number[]>> = {
  1: [0, 4_096, 65_536],
  2: [0, 1],
  3: [0, 100, 2 ** 32 - 1],
  4: [0, 1, 65_535, 2 ** 31 - 1],
  5: [16_384, 2 ** 24 - 1],
  6: [1, 8_192],
};

function settings(random: Random): Uint8Array {
  return join(...Array.from({ length: random.below(4) }, () => {
    const id = 1 + random.below(6);
    return random.chance(0.05)
      ? join(Uint8Array.of(0, random.below(12)), uint32(random.of([0, 2, 2 ** 24, 2 ** 31])))
      : join(Uint8Array.of(0, id), uint32(random.of(SETTING_VALUES[id]!)));
  }));
}

function mutate(frames: Uint8Array<ArrayBuffer>[], random: Random): void {
  // The first SETTINGS are usually left intact: otherwise the server ignores everything after them.
  const spared = random.chance(0.9) && frames.length > 1 ? 1 : 0;
  const at = spared + random.below(frames.length - spared);
  const chosen = frames[at]!;
  switch (random.below(11)) {
    case 0: // another type
      chosen[3] = random.below(12);
      break;
    case 1: // other flags
      chosen[4] = chosen[4]! ^ (1 << random.below(8));
      break;
    case 2: // another stream
      new DataView(chosen.buffer).setUint32(5, random.of([0, 1, 2, 3, 5, 7, 9, 11, 2 ** 31 - 1]));
      break;
    case 3: // a wrong length
      new DataView(chosen.buffer).setUint32(
        0,
        (random.of([0, 1, 4, 5, 6, 8, 255, 16_384, 16_385, 2 ** 24 - 1]) << 8) | chosen[3]!,
      );
      break;
    case 4: // other bytes
      for (let left = 1 + random.below(3); left > 0 && chosen.length > 9; left--) {
        chosen[9 + random.below(chosen.length - 9)] = random.below(256);
      }
      break;
    case 5: // twice
      frames.splice(at, 0, chosen.slice());
      break;
    case 6: // removed
      if (frames.length > 1) frames.splice(at, 1);
      break;
    case 7: { // moved
      frames.splice(at, 1);
      frames.splice(random.below(frames.length + 1), 0, chosen);
      break;
    }
    case 8: // a shorter payload, with the matching length
      if (chosen.length > 9) {
        const length = random.below(chosen.length - 9);
        const cut = chosen.slice(0, 9 + length);
        new DataView(cut.buffer).setUint32(0, (length << 8) | cut[3]!);
        frames[at] = cut;
      }
      break;
    case 9: // an additional control frame, some of them repeated
      for (let left = 1 + random.below(3); left > 0; left--) {
        frames.splice(at, 0, controlFrame(random, 1 + 2 * random.below(6)));
      }
      break;
    default: // random bytes as a header block
      frames.splice(
        at,
        0,
        frame(
          FRAME.HEADERS,
          FLAG.END_HEADERS | random.below(2),
          1 + 2 * random.below(9),
          random.bytes(random.below(60)),
        ),
      );
  }
}

/** Moves frames of one stream past those of another. */
function interleave(frames: Uint8Array<ArrayBuffer>[], random: Random): void {
  const streamOf = (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer).getUint32(5);
  for (let left = frames.length; left > 0; left--) {
    const at = 1 + random.below(frames.length - 1);
    const [before, after] = [frames[at - 1]!, frames[at]];
    if (!after || at === 1 || streamOf(before) === streamOf(after)) continue;
    const inBlock = [before, after, frames[at + 1] ?? after].some((f) =>
      f[3] === FRAME.CONTINUATION
    );
    const opens = after[3] === FRAME.HEADERS && before[3] === FRAME.HEADERS;
    if (inBlock || opens) continue;
    frames[at - 1] = after;
    frames[at] = before;
  }
}

function padded(payload: Uint8Array, random: Random): Uint8Array {
  const padding = random.below(20);
  return join(Uint8Array.of(padding), payload, new Uint8Array(padding));
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

if (import.meta.main) {
  const [address = "", connections = "20000", seed = `${Date.now() % 2 ** 31}`, first = "0"] =
    Deno.args;
  const { hostname, port } = new URL(`http://${address}`);
  console.log(`seed ${seed}`);
  const options = { connections: Number(connections), seed: Number(seed), first: Number(first) };
  console.log(await fuzzFrames({ hostname, port: Number(port), ...options }));
}
