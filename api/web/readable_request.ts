import { type DescMethod, fromBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { toApiError } from "../error_codes.ts";

/** Set on a request whose message was taken out, with the reason; never by a caller. */
const MARK = "x-mpc-unreadable";

const ENVELOPED = /^application\/(connect\+proto|grpc(-web)?(\+proto)?)$/;
const BARE = "application/proto";
const ENCODINGS = ["content-encoding", "grpc-encoding", "connect-content-encoding"];
const HEAD_BYTES = 5;

/**
 * A request that Connect can read. Connect tells who sent bytes that are no message INTERNAL, as if
 * the server were at fault; so a message that cannot be read is replaced by an empty one, and
 * {@linkcode refuseUnreadable} tells the caller, in whatever protocol it speaks.
 */
export async function readableRequest(
  method: DescMethod,
  request: Request,
  maxBytes: number,
): Promise<Request> {
  const headers = new Headers(request.headers);
  headers.delete(MARK);
  const type = headers.get("content-type") ?? "";
  const enveloped = ENVELOPED.test(type);
  const single = method.methodKind === "unary" || method.methodKind === "server_streaming";
  const binary = (enveloped || type === BARE) && !ENCODINGS.some((name) => headers.has(name));
  if (!single || !binary || !request.body) {
    return new Request(request, { headers });
  }
  const body = await readBody(request.body, maxBytes + HEAD_BYTES);
  const { url, signal } = request;
  if (body && isMessage(method, body, enveloped)) {
    return new Request(url, { method: request.method, headers, body, signal });
  }
  headers.set(MARK, body ? "UNREADABLE_MESSAGE" : "MESSAGE_TOO_LARGE");
  headers.delete("content-length");
  const empty = new Uint8Array(enveloped ? HEAD_BYTES : 0);
  return new Request(url, { method: request.method, headers, body: empty, signal });
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
        : "Cannot read the request: its bytes are no message of the method's type",
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

function isMessage(method: DescMethod, body: Uint8Array, enveloped: boolean): boolean {
  if (enveloped) {
    if (body.length < HEAD_BYTES || body[0] !== 0) return false;
    const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
    if (length !== body.length - HEAD_BYTES) return false;
  }
  try {
    fromBinary(method.input, enveloped ? body.subarray(HEAD_BYTES) : body);
    return true;
  } catch {
    // That it is none is the answer.
    return false;
  }
}
