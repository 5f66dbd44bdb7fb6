import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { parseConnectTimeout, parseGrpcTimeout } from "../deadline.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { HEAD_BYTES, readEnvelopes } from "./envelope.ts";

const IN_ENVELOPES = /^application\/(connect\+(proto|json)|grpc-web(\+(proto|json))?)$/;
const BARE = /^application\/(proto|json)$/;
const PARAMETERS = /;.*$/;
const ENCODINGS = ["content-encoding", "grpc-encoding", "connect-content-encoding"];

const TIMEOUTS: Readonly<Record<string, (value: string) => number | undefined>> = {
  "grpc-timeout": parseGrpcTimeout,
  "connect-timeout-ms": parseConnectTimeout,
};

/** Whether a content type is gRPC-Web's, with any encoding of messages. */
export const isGrpcWeb = (type: string): boolean => /^application\/grpc-web/i.test(type);

/** The encoding of a caller's messages. */
export interface Format {
  readonly json: boolean;
  readonly inEnvelopes: boolean;
}

/** A request's headers, for Connect and for the call. */
export interface RequestHead {
  /** Without encodings and timeouts. */
  readonly headers: Headers;
  /** Undefined if the content type is unknown. */
  readonly format: Format | undefined;
  readonly timeoutMs: number | undefined;
  /** Why the request cannot be read; undefined if it can. */
  readonly problem: ConnectError | undefined;
}

/** Parses headers. For some invalid ones, Connect would report INTERNAL without an `ErrorInfo`. */
export function readHead(given: Headers): RequestHead {
  const headers = new Headers(given);
  const type = (given.get("content-type") ?? "").replace(PARAMETERS, "").trim().toLowerCase();
  const inEnvelopes = IN_ENVELOPES.test(type);
  const format = inEnvelopes || BARE.test(type)
    ? { json: type.endsWith("json"), inEnvelopes }
    : undefined;
  let timeoutMs: number | undefined;
  let problem: ConnectError | undefined;
  for (const [name, parse] of Object.entries(TIMEOUTS)) {
    const value = given.get(name);
    if (value === null) continue;
    headers.delete(name);
    timeoutMs = parse(value);
    if (timeoutMs === undefined) {
      problem = unreadableRequest("INVALID_TIMEOUT", `its ${name} is no duration`);
    }
  }
  for (const name of ENCODINGS) {
    if (!/^(identity)?$/.test(given.get(name) ?? "")) {
      problem = unreadableRequest("UNSUPPORTED_ENCODING", `its ${name} is not identity`);
    }
    headers.delete(name);
  }
  return { headers, format, timeoutMs, problem };
}

/**
 * Reads a body that is one message of the method's type.
 * @throws {ConnectError} `UNREADABLE_MESSAGE`
 */
export function readMessage(
  { input }: DescMethod,
  body: Uint8Array,
  { json, inEnvelopes }: Format,
): MessageShape<DescMessage> {
  if (inEnvelopes) checkSingleMessage(body);
  const message = inEnvelopes ? body.subarray(HEAD_BYTES) : body;
  try {
    if (json) {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(message);
      // An unknown field is a mistake: a misspelt `validate_onyl` must not change anything.
      return fromJsonString(input, text, { ignoreUnknownFields: false });
    }
    return fromBinary(input, message);
  } catch (error) {
    // People write JSON, and the parser's message helps them.
    const detail = json && error instanceof Error ? `: ${error.message}` : "";
    throw unreadable(`it is no message of type ${input.typeName}${detail}`);
  }
}

/**
 * Checks that a body is a single uncompressed message in an envelope.
 * @throws {ConnectError} `UNREADABLE_MESSAGE`, `MESSAGE_COUNT` or `UNEXPECTED_COMPRESSION`
 */
export function checkSingleMessage(body: Uint8Array): void {
  const { count, whole, compressed, flagged } = readEnvelopes(body);
  if (!whole || flagged) throw unreadable("its body is no single message in an envelope");
  if (count !== 1) {
    const why = `the method takes exactly one message, and its body has ${count}`;
    throw unreadableRequest("MESSAGE_COUNT", why);
  }
  if (compressed) {
    const why = "its message is compressed and it has no encoding";
    throw unreadableRequest("UNEXPECTED_COMPRESSION", why);
  }
}

/** Codes with which reading a stream of requests may end, other than for undecodable bytes. */
const NOT_OF_BYTES: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Unavailable,
]);

/**
 * A caller's stream of requests. Connect reads it message by message, and reports INTERNAL if it
 * cannot; this reports the caller's mistake, with an `ErrorInfo`.
 */
export async function* readStream<T>(requests: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* requests;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (NOT_OF_BYTES.has(code)) throw error;
    throw code === Code.ResourceExhausted
      ? unreadableRequest("MESSAGE_TOO_LARGE", "a message is larger than the server takes", error)
      : unreadable("its stream holds bytes that are no message", error);
  }
}

function unreadable(why: string, cause?: unknown): ConnectError {
  return unreadableRequest("UNREADABLE_MESSAGE", why, cause);
}
