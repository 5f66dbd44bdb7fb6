import { type DescMethod, fromBinary, fromJson } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { toApiError } from "../error_codes.ts";

/** Set on a request whose message was taken out, with the reason; never by a caller. */
const MARK = "x-mpc-unreadable";

/** What is wrong with the message, where there is more to say than the reason does. */
const DETAIL = "x-mpc-unreadable-detail";
const MAX_DETAIL = 300;

const ENVELOPED = /^application\/(connect\+(proto|json)|grpc(-web)?(\+(proto|json))?)$/;
const BARE = /^application\/(proto|json)$/;
const PARAMETERS = /;.*$/;
const ENCODINGS = ["content-encoding", "grpc-encoding", "connect-content-encoding"];
const HEAD_BYTES = 5;

/**
 * A request that Connect can read. Connect tells who sent bytes that are no message INTERNAL, as if
 * the server were at fault, and gives no ErrorInfo; so a message that cannot be read is replaced by
 * an empty one, and {@linkcode refuseUnreadable} tells the caller, in whatever protocol it speaks.
 */
export async function readableRequest(
  method: DescMethod,
  request: Request,
  maxBytes: number,
): Promise<Request> {
  const headers = new Headers(request.headers);
  headers.delete(MARK);
  headers.delete(DETAIL);
  const type = (headers.get("content-type") ?? "").replace(PARAMETERS, "").trim();
  const enveloped = ENVELOPED.test(type);
  const single = method.methodKind === "unary" || method.methodKind === "server_streaming";
  const plain = (enveloped || BARE.test(type)) && !ENCODINGS.some((name) => headers.has(name));
  if (!single || !plain || !request.body) {
    return new Request(request, { headers });
  }
  const body = await readBody(request.body, maxBytes + HEAD_BYTES);
  const { url, signal } = request;
  const json = type.endsWith("json");
  const problem = body ? problemOf(method, body, enveloped, json) : undefined;
  if (body && problem === undefined) {
    return new Request(url, { method: request.method, headers, body, signal });
  }
  headers.set(MARK, body ? "UNREADABLE_MESSAGE" : "MESSAGE_TOO_LARGE");
  if (problem) headers.set(DETAIL, encodeURIComponent(problem.slice(0, MAX_DETAIL).toWellFormed()));
  headers.delete("content-length");
  return new Request(url, {
    method: request.method,
    headers,
    body: empty(enveloped, json),
    signal,
  });
}

/** @throws {ConnectError} where the request's message could not be read */
export function refuseUnreadable({ requestHeader }: HandlerContext): void {
  const reason = requestHeader.get(MARK);
  if (reason === null) return;
  const tooLarge = reason === "MESSAGE_TOO_LARGE";
  throw toApiError(
    new MpcError(tooLarge ? "RESOURCE_EXHAUSTED" : "INVALID_ARGUMENT", {
      reason,
      retryable: false,
      message: tooLarge
        ? "Cannot read the request: it is larger than the server takes"
        : `Cannot read the request: ${
          decodeURIComponent(requestHeader.get(DETAIL) ?? "") || "it is no message"
        }`,
    }),
  );
}

/** @returns undefined where there is more than `maxBytes` of it */
async function readBody(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) return undefined;
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** What is wrong with a body; undefined where it is a message of the method's type. */
function problemOf(
  method: DescMethod,
  body: Uint8Array,
  enveloped: boolean,
  json: boolean,
): string | undefined {
  if (enveloped && !isEnvelope(body)) return "its body is no single message in an envelope";
  const message = enveloped ? body.subarray(HEAD_BYTES) : body;
  try {
    if (json) {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(message);
      fromJson(method.input, JSON.parse(text), { ignoreUnknownFields: true });
    } else fromBinary(method.input, message);
    return undefined;
  } catch (error) {
    // JSON is written by people, who can use what is said of it.
    const detail = json && error instanceof Error ? `: ${error.message}` : "";
    return `it is no message of type ${method.input.typeName}${detail}`;
  }
}

function isEnvelope(body: Uint8Array): boolean {
  if (body.length < HEAD_BYTES || body[0] !== 0) return false;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return length === body.length - HEAD_BYTES;
}

/** An empty message, which can always be read. */
function empty(enveloped: boolean, json: boolean): Uint8Array<ArrayBuffer> {
  const message = new TextEncoder().encode(json ? "{}" : "");
  if (!enveloped) return message;
  const body = new Uint8Array(HEAD_BYTES + message.length);
  new DataView(body.buffer).setUint32(1, message.length);
  body.set(message, HEAD_BYTES);
  return body;
}
