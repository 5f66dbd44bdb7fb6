import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type ConnectError, encodeBinaryHeader, type HandlerContext } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { StatusSchema } from "@mpc/proto";
import { toApiError } from "../error_codes.ts";
import { statusMessage } from "../status_message.ts";
import { WebCallContext } from "./web_call_context.ts";

type Implementation = (
  request: MessageShape<DescMessage>,
  context: HandlerContext,
) => MessageShape<DescMessage> | Promise<MessageShape<DescMessage>>;

const CONTENT_TYPE = "application/grpc-web+proto";
const HEAD_BYTES = 5;
const TRAILER_FLAG = 0x80;
const HEADERS = { "content-type": CONTENT_TYPE };
const encoder = new TextEncoder();
const OK_TRAILER = framed(TRAILER_FLAG, encoder.encode("grpc-status: 0\r\n"));

/**
 * Whether a request is the plain case: one binary gRPC-Web message of known length, uncompressed.
 * That is what our own clients send, and what is answered here without the streams and transforms
 * that Connect's general handler needs; everything else goes to that one.
 */
export function isPlainGrpcWeb({ method, headers }: Request, maxBytes: number): boolean {
  const length = Number(headers.get("content-length") ?? NaN);
  return method === "POST" && headers.get("content-type") === CONTENT_TYPE &&
    length <= maxBytes && !headers.has("grpc-encoding");
}

/** Answers plain gRPC-Web calls of one unary method ("PROTOCOL-WEB", gRPC documentation). */
export function unaryGrpcWeb(
  method: DescMethod,
  implementation: Implementation,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const context = new WebCallContext(method, request, timeoutOf(request));
    try {
      const message = messageOf(method, new Uint8Array(await request.arrayBuffer()));
      const answer = await implementation(message, context);
      const complete = "$typeName" in answer ? answer : create(method.output, answer);
      return new Response(okBody(toBinary(method.output, complete)), { headers: HEADERS });
    } catch (error) {
      return failed(error);
    } finally {
      context.dispose();
    }
  };
}

function messageOf(method: DescMethod, body: Uint8Array): MessageShape<DescMessage> {
  const length = body.length < HEAD_BYTES
    ? -1
    : new DataView(body.buffer, body.byteOffset).getUint32(1);
  if (body[0] !== 0 || length !== body.length - HEAD_BYTES) {
    throw unreadable("its body is no single gRPC-Web message");
  }
  try {
    return fromBinary(method.input, body.subarray(HEAD_BYTES));
  } catch (error) {
    throw unreadable("its bytes are no message of the method's type", error);
  }
}

function unreadable(why: string, cause?: unknown): ConnectError {
  const reason = "UNREADABLE_MESSAGE";
  const message = `Cannot read the request: ${why}`;
  return toApiError(new MpcError("INVALID_ARGUMENT", { reason, message, cause }));
}

function okBody(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(HEAD_BYTES + message.length + OK_TRAILER.length);
  new DataView(body.buffer).setUint32(1, message.length);
  body.set(message, HEAD_BYTES);
  body.set(OK_TRAILER, HEAD_BYTES + message.length);
  return body;
}

function failed(error: unknown): Response {
  const status = statusMessage(error);
  const lines = [
    `grpc-status: ${status.code}`,
    `grpc-message: ${encodeURIComponent(status.message)}`,
    `grpc-status-details-bin: ${encodeBinaryHeader(status, StatusSchema)}`,
  ];
  const trailer = framed(TRAILER_FLAG, encoder.encode(`${lines.join("\r\n")}\r\n`));
  return new Response(trailer, { headers: HEADERS });
}

function framed(flags: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD_BYTES + bytes.length);
  frame[0] = flags;
  new DataView(frame.buffer).setUint32(1, bytes.length);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

function timeoutOf({ headers }: Request): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "");
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}
