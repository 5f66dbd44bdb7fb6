/** Connections of HTTP/1.1 that are valid but for a few mutations. */
import { join } from "./http2_frames.ts";
import type { Random } from "./seeded_random.ts";

const encoder = new TextEncoder();
const PATHS = [
  "/mpc.v1.DiagnosticsService/GetServerInfo",
  "/mpc.v1.EnvironmentService/GetEnvironment",
  "/healthz",
  "/no.Such/Method",
  "/%00/../..//?a=b&message=%7B%7D",
];
const HOSTS = ["localhost", "127.0.0.1", "example.com"];
const ODD_HOSTS = ["[", "a b", "", "a@b"];
const TYPES = [
  "application/json",
  "application/proto",
  "application/connect+json",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc",
  "text/html",
];
/** A stream that does not end, so nothing behind it is answered. */
const WATCH = "/mpc.v1.EventService/WatchEvents";
const METHODS = ["POST", "POST", "GET", "OPTIONS", "HEAD"];
const ODD_METHODS = ["CONNECT", "PRI", "p st", ""];
/** A request for a path whose answer repeats it: what stands before it has left the connection whole. */
const LAST = "POST /lastping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";

/** The bytes of a connection: pipelined requests, mutated, and one at the end that is answered. */
export function fuzzedHttp1(random: Random): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (let left = 1 + random.below(3); left > 0; left--) parts.push(request(random));
  for (let left = random.of([0, 0, 1, 1, 2, 4]); left > 0; left--) mutate(parts, random);
  const bytes = join(...parts, encoder.encode(LAST));
  if (random.chance(0.1)) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function request(random: Random): Uint8Array {
  const body = bodyOf(random);
  const headers: string[] = [`Host: ${random.of(random.chance(0.9) ? HOSTS : ODD_HOSTS)}`];
  headers.push(`Content-Type: ${random.of(TYPES)}`);
  const chunked = random.chance(0.3);
  if (chunked) headers.push("Transfer-Encoding: chunked");
  else headers.push(`Content-Length: ${body.length}`);
  if (random.chance(0.2)) headers.push(`Connect-Timeout-Ms: ${random.below(200)}`);
  if (random.chance(0.1)) headers.push("Expect: 100-continue");
  if (random.chance(0.1)) {
    headers.push(`Connection: ${random.of(["close", "upgrade", "keep-alive"])}`);
  }
  if (random.chance(0.05)) headers.push("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__");
  if (random.chance(0.1)) headers.push(`X-Large: ${"v".repeat(random.below(20_000))}`);
  // Two lengths that contradict each other are how requests are smuggled.
  if (random.chance(0.05)) headers.push(random.of(SMUGGLED));
  const version = random.chance(0.98) ? "1.1" : random.of(["1.0", "2.0", "0.9", "1.", "11"]);
  const method = random.of(random.chance(0.95) ? METHODS : ODD_METHODS);
  const path = random.chance(0.05) ? WATCH : random.of(PATHS);
  const head = `${method} ${path} HTTP/${version}\r\n${headers.join("\r\n")}\r\n\r\n`;
  return join(encoder.encode(head), chunked ? inChunks(body, random) : body);
}

const SMUGGLED = [
  "Content-Length: 5",
  "Content-Length: -1",
  "Content-Length: 1, 1",
  "Content-Length: 99999999999999999999",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding : chunked",
  " folded: line",
  "X: a\r\nTransfer-Encoding: chunked",
];

function bodyOf(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return encoder.encode("{}");
    case 1:
      return encoder.encode(JSON.stringify({ name: "environments/dev" }));
    case 2: {
      const message = new Uint8Array(5 + random.below(30));
      message[4] = random.chance(0.8) ? message.length - 5 : random.below(256);
      return message;
    }
    default:
      return random.bytes(random.below(200));
  }
}

function inChunks(body: Uint8Array, random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const length = Math.min(body.length - at, 1 + random.below(20));
    const told = random.chance(0.95) ? length.toString(16) : random.of(WRONG_LENGTHS);
    parts.push(
      encoder.encode(`${told}\r\n`),
      body.subarray(at, at + length),
      encoder.encode("\r\n"),
    );
    at += length;
  }
  const trailers = random.chance(0.1) ? "X-End: 1\r\n" : "";
  return join(...parts, encoder.encode(`0\r\n${trailers}\r\n`));
}

const WRONG_LENGTHS = [
  "",
  "-1",
  "g",
  "ffffffffffffffff",
  "10000000000000000",
  "1;a=b",
  "0x1",
  " 1",
];

function mutate(parts: Uint8Array[], random: Random): void {
  const at = random.below(parts.length);
  const chosen = parts[at]!;
  const place = random.below(chosen.length + 1);
  switch (random.below(7)) {
    case 0: // cut off in the middle
      parts[at] = chosen.slice(0, place);
      break;
    case 1: // other bytes
      for (let left = 1 + random.below(3); left > 0 && chosen.length > 0; left--) {
        chosen[random.below(chosen.length)] = random.below(256);
      }
      break;
    case 2: // twice
      parts.splice(at, 0, chosen.slice());
      break;
    case 3: // bytes in between
      parts[at] = join(
        chosen.subarray(0, place),
        random.bytes(random.below(20)),
        chosen.subarray(place),
      );
      break;
    case 4: // lines that end otherwise
      parts[at] = encoder.encode(
        String.fromCharCode(...chosen).replaceAll("\r\n", random.of(["\n", "\r", "\r\r\n"])),
      );
      break;
    case 5: // another request inside
      parts[at] = join(chosen.subarray(0, place), request(random), chosen.subarray(place));
      break;
    default: // empty lines before it
      parts.splice(at, 0, encoder.encode("\r\n".repeat(random.below(5))));
  }
}
