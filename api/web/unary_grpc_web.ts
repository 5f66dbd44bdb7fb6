import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { parseGrpcTimeout } from "../deadline.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { HEAD_BYTES } from "./envelope.ts";
import { failedTrailer, okTrailer } from "./grpc_web_trailer.ts";
import { acceptsGzip, gzip, MIN_GZIP_BYTES } from "./gzip.ts";
import type { BodyReader } from "./read_body.ts";
import { checkSingleMessage } from "./read_request.ts";
import { WebCallContext } from "./web_call_context.ts";
import { tooMuchAtOnce, type WebCall } from "./web_call.ts";

type Implementation = (
  request: MessageShape<DescMessage>,
  context: HandlerContext,
) => MessageShape<DescMessage> | Promise<MessageShape<DescMessage>>;

const CONTENT_TYPE = "application/grpc-web+proto";
/** As a plain object, which Deno sends without making `Headers` of it. */
const HEADERS = { "content-type": CONTENT_TYPE };
const OK_TRAILER = okTrailer();

/**
 * Whether a request is the plain case: one binary gRPC-Web message of known length, uncompressed,
 * with a valid deadline or none. Our own clients send such requests. They are answered here without
 * the streams and transforms of Connect's general handler, which handles all other requests.
 */
export function isPlainGrpcWeb({ method, headers }: Request, maxBytes: number): boolean {
  const length = Number(headers.get("content-length") ?? NaN);
  return method === "POST" && headers.get("content-type") === CONTENT_TYPE &&
    length <= maxBytes && headers.get("grpc-encoding") === null &&
    parseGrpcTimeout(headers.get("grpc-timeout") ?? "0n") !== undefined;
}

/** Answers plain gRPC-Web calls of one unary method ("PROTOCOL-WEB", gRPC documentation). */
export function unaryGrpcWeb(
  method: DescMethod,
  implementation: Implementation,
  bodies: BodyReader,
): (request: Request, call: WebCall) => Promise<Response> {
  return async (request, call) => {
    const context = new WebCallContext(method, request, call);
    try {
      const message = messageOf(method, await bodies.read(request, call));
      const { deadline } = context;
      const answer = await (deadline
        ? deadline.limit(() =>
          implementation(message, context)
        )
        : implementation(message, context));
      const complete = "$typeName" in answer ? answer : create(method.output, answer);
      const body = okBody(toBinary(method.output, complete), context.sentTrailer);
      const { sentHeader } = context;
      return body.length < MIN_GZIP_BYTES
        ? new Response(body, { headers: sentHeader ? headersWith(sentHeader) : HEADERS })
        : await large(body, headersWith(sentHeader), request, call);
    } catch (error) {
      return failedGrpcWeb(error, context);
    } finally {
      context.dispose();
    }
  };
}

/** A large response, compressed by HTTP's content encoding if the caller accepts it. */
async function large(
  body: Uint8Array<ArrayBuffer>,
  headers: Headers,
  request: Request,
  call: WebCall,
): Promise<Response> {
  const compressed = acceptsGzip(request.headers.get("accept-encoding"));
  const bytes = compressed ? await gzip.compress(body) : body;
  if (!call.untilSent(bytes.length)) {
    throw tooMuchAtOnce("takes");
  }
  if (compressed) {
    headers.set("content-encoding", "gzip");
    headers.append("vary", "accept-encoding");
  }
  return new Response(bytes, { headers });
}

function messageOf(method: DescMethod, body: Uint8Array): MessageShape<DescMessage> {
  checkSingleMessage(body);
  try {
    return fromBinary(method.input, body.subarray(HEAD_BYTES));
  } catch (error) {
    const why = "its bytes are no message of the method's type";
    throw unreadableRequest("UNREADABLE_MESSAGE", why, error);
  }
}

/** The headers of a response. @param own headers that the method has set */
function headersWith(own: Headers | undefined, contentType = CONTENT_TYPE): Headers {
  const headers = new Headers(own);
  headers.set("content-type", contentType);
  return headers;
}

function okBody(message: Uint8Array, own: Headers | undefined): Uint8Array<ArrayBuffer> {
  const trailer = own ? okTrailer(own) : OK_TRAILER;
  const body = new Uint8Array(HEAD_BYTES + message.length + trailer.length);
  new DataView(body.buffer).setUint32(1, message.length);
  body.set(message, HEAD_BYTES);
  body.set(trailer, HEAD_BYTES + message.length);
  return body;
}

/**
 * The answer to a call that failed.
 * @param context has the headers that the method has set, if one was called
 */
export function failedGrpcWeb(
  error: unknown,
  context?: Pick<WebCallContext, "sentHeader" | "sentTrailer">,
  contentType = CONTENT_TYPE,
): Response {
  const headers = headersWith(context?.sentHeader, contentType);
  return new Response(failedTrailer(error, context?.sentTrailer), { headers });
}
