import type { DescMethod } from "@bufbuild/protobuf";
import {
  ConnectError,
  type ConnectRouterOptions,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  type UniversalHandler,
  type UniversalServerResponse,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import { Batch } from "@mpc/process";
import { Deadline } from "../deadline.ts";
import type { Route } from "../route.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import type { BodyReader } from "./read_body.ts";
import { queryProblem } from "./read_query.ts";
import { type Format, isGrpcWeb, readHead, readMessage, readStream } from "./read_request.ts";
import { refusal } from "./refusals.ts";
import { clientValues, tooMuchAtOnce, type WebCall } from "./web_call.ts";

/** The measured cost of a call that waits for more requests. */
const STREAM_BYTES = 96 * 1024;

/** Responses of at least this size count for their caller until they have been sent. */
const LARGE_BYTES = 16 * 1024;

/** Why a request cannot be read. */
const PROBLEM = createContextKey<ConnectError | undefined>(undefined);

const DEADLINE = createContextKey<Deadline | undefined>(undefined);

/** Refuses unreadable requests in the caller's own protocol, before Connect reads the body. */
export const callOptions: ConnectRouterOptions = {
  requestGate({ values }) {
    const problem = values.get(PROBLEM);
    if (problem) throw problem;
  },
};

/** Answers a call of any protocol with Connect. */
export async function answerCall(
  handler: UniversalHandler,
  request: Request,
  call: WebCall,
  bodies: BodyReader,
): Promise<Response> {
  const { method } = handler;
  const allowed = allowedMethods(handler);
  if (!allowed.includes(request.method)) return wrongMethod(request, allowed);
  const { headers, format, timeoutMs, problem } = readHead(request.headers);
  const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs);
  const contextValues = clientValues(call).set(PROBLEM, problem).set(DEADLINE, deadline);
  const signal = deadline ? AbortSignal.any([request.signal, deadline.signal]) : request.signal;
  const unary = method.methodKind === "unary";
  let body: AsyncIterable<Uint8Array> = createAsyncIterable([]);
  try {
    if (request.method === "GET" && !problem) {
      contextValues.set(PROBLEM, queryProblem(method, request.url));
    }
    // Connect itself refuses other content types with an HTTP status.
    if (request.method === "POST" && format && !problem) {
      body = await readable(method, request, format, call, bodies).catch((error) => {
        if (!(error instanceof ConnectError)) throw error;
        contextValues.set(PROBLEM, error);
        return body;
      });
    }
    const { url } = request;
    const asked = { httpVersion: "", method: request.method, url, header: headers, body };
    const answer = await handler({ ...asked, signal, contextValues });
    return explained(request, handler, answer) ??
      (unary ? await sentWhole(answer, call) : sentPiecemeal(answer, call));
  } finally {
    if (unary) deadline?.dispose();
  }
}

/** A body that Connect can read: one message, or a stream. */
async function readable(
  method: DescMethod,
  request: Request,
  format: Format,
  call: WebCall,
  bodies: BodyReader,
): Promise<AsyncIterable<Uint8Array>> {
  const single = method.methodKind === "unary" || method.methodKind === "server_streaming";
  if (single) {
    const bytes = await bodies.read(request, call);
    readMessage(method, bytes, format);
    return createAsyncIterable([bytes]);
  }
  if (!call.untilSent(STREAM_BYTES)) throw tooMuchAtOnce("takes");
  return request.body ?? createAsyncIterable([]);
}

type Implementation = NonNullable<Route["implementation"][string]>;

/** A method's implementation, in the form that Connect calls; undefined if the route has none. */
export function implementationOf(method: DescMethod, route: Route): Implementation | undefined {
  const implemented = route.implementation[method.localName];
  if (!implemented) return undefined;
  const { methodKind } = method;
  const bare = implemented as (request: unknown, context: HandlerContext) => unknown;
  const asks = methodKind === "bidi_streaming" || methodKind === "client_streaming";
  const streams = methodKind === "bidi_streaming" || methodKind === "server_streaming";
  return ((request: AsyncIterable<unknown>, context: HandlerContext) => {
    const deadline = context.values.get(DEADLINE);
    const own = deadline ? { ...context, timeoutMs: () => deadline.leftMs } : context;
    const answer = () => bare(asks ? readStream(request) : request, own);
    if (streams) return untilEnd(answer() as AsyncIterable<unknown>, own, deadline);
    return deadline ? deadline.limit(answer) : answer();
  }) as Implementation;
}

/**
 * A stream of responses. A stream that was cut off reports why, so that its reader does not take it
 * for the end. Connect throws into a stream whose reader has gone, which would look like a fault of
 * the method; so the method's own stream is simply abandoned.
 */
async function* untilEnd(
  answers: AsyncIterable<unknown>,
  { signal }: HandlerContext,
  deadline: Deadline | undefined,
): AsyncGenerator<unknown> {
  try {
    for await (const answer of answers) {
      if (!(answer instanceof Batch)) yield answer;
      else for (; answer.written < answer.messages.length;) yield answer.messages[answer.written++];
    }
    if (signal.reason instanceof ConnectError) throw signal.reason;
  } finally {
    deadline?.dispose();
  }
}

/**
 * The content type of a refusal that belongs to no RPC protocol (RFC 9457). Connect clients then act
 * on the HTTP status, as with Connect's own refusals.
 */
const PROBLEM_TYPE = { "content-type": "application/problem+json" };

/** The HTTP methods of a call; Connect also names GET for streams, which have none. */
const allowedMethods = ({ method, allowedMethods }: UniversalHandler): readonly string[] =>
  method.methodKind === "unary" ? allowedMethods : ["POST"];

function wrongMethod({ method, headers }: Request, allowed: readonly string[]): Response {
  const status = 405;
  const allow = { allow: allowed.join(", ") };
  // gRPC-Web clients do not read errors in JSON; the HTTP status is all that they need.
  if (isGrpcWeb(headers.get("content-type") ?? "")) {
    return new Response(null, { status, headers: allow });
  }
  const why = `its method is ${method}, must be ${allowed.join(" or ")}`;
  return refusal(unreadableRequest("NO_CALL", why), {
    status,
    headers: { ...allow, ...PROBLEM_TYPE },
  });
}

/** Connect refuses requests of no known protocol with a bare status; this adds an explanation. */
function explained(
  request: Request,
  { method }: UniversalHandler,
  { status }: UniversalServerResponse,
): Response | undefined {
  if (status !== 415) return undefined;
  const type = request.headers.get("content-type") ?? "";
  if (isGrpcWeb(type)) return new Response(null, { status });
  if (request.method === "GET") {
    const why = "its query has no 'encoding=json' or 'encoding=proto'";
    return refusal(unreadableRequest("NO_CALL", why), { status, headers: PROBLEM_TYPE });
  }
  const found = type ? `'${type}'` : "not set";
  const wanted = method.methodKind === "unary" ? "application/json" : "application/connect+json";
  const why = `its content-type is ${found}, must be '${wanted}'`;
  return refusal(unreadableRequest("NO_CALL", why), { status, headers: PROBLEM_TYPE });
}

/** Sends a complete response. If it is large, it counts for the caller until it is sent. */
async function sentWhole(answer: UniversalServerResponse, call: WebCall): Promise<Response> {
  const { status, header, body } = answer;
  const bytes = new Uint8Array(await new Response(streamOf(body)).arrayBuffer());
  if (bytes.length > LARGE_BYTES && !call.untilSent(bytes.length)) {
    return refusal(tooMuchAtOnce("takes"));
  }
  return new Response(bytes, { status, ...(header && { headers: header }) });
}

function sentPiecemeal(answer: UniversalServerResponse, call: WebCall): Response {
  return call.untilSent(LARGE_BYTES)
    ? universalServerResponseToFetch(answer)
    : refusal(tooMuchAtOnce("takes"));
}

function streamOf(body: UniversalServerResponse["body"]): ReadableStream<Uint8Array> | null {
  return body ? ReadableStream.from(body) : null;
}
