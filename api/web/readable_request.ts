import { type DescMethod, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { enveloped, HEAD_BYTES, isSingleMessage } from "./envelope.ts";
import { wrongTimeout } from "./timeout.ts";
import { mark, unmarked, type Unreadable } from "./unreadable_mark.ts";

const IN_ENVELOPES = /^application\/(connect\+(proto|json)|grpc(-web)?(\+(proto|json))?)$/;
const BARE = /^application\/(proto|json)$/;
const PARAMETERS = /;.*$/;
const ENCODINGS = ["content-encoding", "grpc-encoding", "connect-content-encoding"];

/** How a caller writes its messages. */
interface Format {
  readonly json: boolean;
  readonly inEnvelopes: boolean;
}

/**
 * A request that Connect can read. Connect tells who sent bytes that are no message INTERNAL, as if
 * the server were at fault, and gives no ErrorInfo; so a request that cannot be read is replaced by
 * an empty one with a mark, and what the mark says is told by the method, in whatever protocol the
 * caller speaks. A stream of requests is left as it is: `readableOnes` watches over it.
 */
export async function readableRequest(
  method: DescMethod,
  request: Request,
  maxBytes: number,
): Promise<Request> {
  const headers = unmarked(request.headers);
  const type = (headers.get("content-type") ?? "").replace(PARAMETERS, "").trim();
  const format = { json: type.endsWith("json"), inEnvelopes: IN_ENVELOPES.test(type) };
  // What is no type of ours Connect refuses by HTTP's own means.
  if (!request.body || !(format.inEnvelopes || BARE.test(type))) {
    return new Request(request, { headers });
  }
  const wrong = wrongHeader(headers);
  if (wrong) return replaced(request, headers, format, wrong);
  for (const name of ENCODINGS) headers.delete(name);
  const single = method.methodKind === "unary" || method.methodKind === "server_streaming";
  if (!single) return new Request(request, { headers });
  const body = await readBody(request.body, maxBytes + HEAD_BYTES);
  const problem = problemOf(method, body, format);
  if (problem) return replaced(request, headers, format, problem);
  const { url, signal } = request;
  return new Request(url, { method: request.method, headers, body: body!, signal });
}

function wrongHeader(headers: Headers): Unreadable | undefined {
  const encoding = ENCODINGS.find((name) => !/^(identity)?$/.test(headers.get(name) ?? ""));
  if (encoding) {
    return { reason: "UNSUPPORTED_ENCODING", why: `its ${encoding} is not identity` };
  }
  const timeout = wrongTimeout(headers);
  return timeout ? { reason: "INVALID_TIMEOUT", why: `its ${timeout} is no duration` } : undefined;
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
  { input }: DescMethod,
  body: Uint8Array | undefined,
  { json, inEnvelopes }: Format,
): Unreadable | undefined {
  if (!body) return { reason: "MESSAGE_TOO_LARGE", why: "it is larger than the server takes" };
  const reason = "UNREADABLE_MESSAGE";
  if (inEnvelopes && !isSingleMessage(body)) {
    return { reason, why: "its body is no single message in an envelope" };
  }
  const message = inEnvelopes ? body.subarray(HEAD_BYTES) : body;
  try {
    if (json) {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(message);
      // A field that is not there is a slip of who wrote it: `validate_onyl` must change nothing.
      fromJsonString(input, text, { ignoreUnknownFields: false });
    } else fromBinary(input, message);
    return undefined;
  } catch (error) {
    // JSON is written by people, who can use what is said of it.
    const detail = json && error instanceof Error ? `: ${error.message}` : "";
    return { reason, why: `it is no message of type ${input.typeName}${detail}` };
  }
}

/** A request with a mark and an empty message, which can always be read. */
function replaced(
  { url, method, signal }: Request,
  headers: Headers,
  { json, inEnvelopes }: Format,
  unreadable: Unreadable,
): Request {
  for (const name of [...ENCODINGS, "content-length"]) headers.delete(name);
  if (unreadable.reason === "INVALID_TIMEOUT") {
    for (const name of ["grpc-timeout", "connect-timeout-ms"]) headers.delete(name);
  }
  mark(headers, unreadable);
  const message = new TextEncoder().encode(json ? "{}" : "");
  const body = inEnvelopes ? enveloped(0, message) : message;
  return new Request(url, { method, headers, body, signal });
}
