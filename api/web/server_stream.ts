import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextValues,
  createHandlerContext,
  encodeBinaryHeader,
  type HandlerContext,
} from "@connectrpc/connect";
import { createEndStreamSerialization, endStreamFlag } from "@connectrpc/connect/protocol-connect";
import { SOURCE } from "@mpc/process";
import { StatusSchema } from "@mpc/proto";
import { within } from "../connections/within.ts";
import { Deadline } from "../deadline.ts";
import { grpcMessage, statusMessage } from "../status_message.ts";
import { deliver, type Outlet, type Responses } from "../streams/deliver.ts";
import type { DeliveryPace } from "../streams/delivery_pace.ts";
import { binaryEnvelope, jsonEnvelopes, type ToEnvelope } from "../streams/envelopes.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { enveloped, HEAD_BYTES } from "./envelope.ts";
import type { BodyReader } from "./read_body.ts";
import { checkMessage, type Format, readHead, type RequestHead } from "./read_request.ts";
import type { WebCall } from "./web_connections.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Message = MessageShape<DescMessage>;
type Implementation = (request: Message, context: HandlerContext) => Responses;

/** The cost of a stream for its peer: the chunks that wait for its reader. */
const STREAM_BYTES = 16 * 1024;

/** How long HTTP/2 may take to reset a stream. */
const RESET_MS = 500;

const GRPC_WEB_TRAILER = 0x80;
const encoder = new TextEncoder();

/** How a door's streams write JSON. */
export interface JsonStreams {
  /** The types that an `Any` may hold. */
  readonly registry: Registry;
  readonly envelope: ToEnvelope;
  readonly endOfStream: ReturnType<typeof createEndStreamSerialization>;
}

/** @param registry the types that an `Any` in a message or in an error's details may hold */
export const jsonStreams = (registry: Registry): JsonStreams => ({
  registry,
  envelope: jsonEnvelopes(registry),
  endOfStream: createEndStreamSerialization({ registry }),
});

export interface StreamOptions {
  readonly json: JsonStreams;
  /** Aborts when no more calls are accepted; streams end with it. */
  readonly shutdown: AbortSignal;
  readonly pace: DeliveryPace;
  /** How long the reader of a stream may leave its messages unread. */
  readonly stallMs: number;
}

/**
 * Answers one method's calls by streams of messages, for gRPC-Web and Connect, binary and JSON.
 * Connect's general handler would encode each message for each stream.
 * @returns undefined where the request is not one that this can answer, which Connect then refuses
 */
export function serverStream(
  method: DescMethod,
  implementation: Implementation,
  options: StreamOptions & { readonly bodies: BodyReader },
): (request: Request, call: WebCall) => Promise<Response> | undefined {
  return (request, call) => {
    const head = readHead(request.headers);
    if (request.method !== "POST" || !head.format?.inEnvelopes || head.problem) return undefined;
    return answer(method, implementation, { ...options, request, call, head, format: head.format });
  };
}

async function answer(
  method: DescMethod,
  implementation: Implementation,
  { bodies, json, pace, stallMs, shutdown, request, call, head, format }: StreamOptions & {
    readonly bodies: BodyReader;
    readonly request: Request;
    readonly call: WebCall;
    readonly head: RequestHead;
    readonly format: Format;
  },
): Promise<Response> {
  const type = request.headers.get("content-type") ?? "";
  const deadline = head.timeoutMs === undefined ? undefined : new Deadline(head.timeoutMs);
  const signals = [request.signal, ...(deadline ? [deadline.signal] : [])];
  const bare = createHandlerContext({
    service: method.parent,
    method,
    protocolName: type.includes("grpc-web") ? "grpc-web" : "connect",
    requestMethod: request.method,
    url: request.url,
    requestSignal: AbortSignal.any(signals),
    shutdownSignal: shutdown,
    requestHeader: request.headers,
    contextValues: createContextValues().set(SOURCE, call.source),
  });
  const context = { ...bare, timeoutMs: () => deadline?.leftMs };
  const { signal } = context;
  const outlet = new BodyOutlet(() => bare.abort(gone()));
  const deliveries = (async () => {
    let failure: unknown;
    try {
      const bytes = await bodies.read(request, call);
      if (!call.untilSent(STREAM_BYTES)) throw tooMuch();
      signal.throwIfAborted();
      const responses = implementation(messageOf(method, bytes, format, json), context);
      const cutOff = (reason: ConnectError) => {
        bare.abort(reason);
        cutUnlessSent(call, stallMs, () => outlet.fail(reason));
      };
      const encode = format.json ? json.envelope : binaryEnvelope;
      await deliver(responses, { method, outlet, encode, pace, stallMs, signal, cutOff });
      // A stream that was cut off reports why, so that its reader does not take it for the end.
      if (signal.reason instanceof ConnectError) throw signal.reason;
    } catch (error) {
      failure = error;
    } finally {
      deadline?.dispose();
      bare.abort(new ConnectError("the call has ended", Code.Canceled));
    }
    outlet.end(endOf(context, failure, json));
  })();
  // An implementation may set headers until its first response.
  await Promise.race([outlet.begun, deliveries]);
  const headers = new Headers(context.responseHeader);
  headers.set("content-type", type.replace(/;.*$/, "").trim());
  return new Response(outlet.body, { headers });
}

/** Ends a stream whose reader does not read its end: the stream first, then its connection. */
async function cutUnlessSent(
  { sent, cut }: WebCall,
  ms: number,
  fail: () => void,
): Promise<void> {
  let isSent = false;
  const end = sent.then(() => {
    isSent = true;
  });
  await within(ms, end);
  if (isSent) return;
  fail();
  await within(RESET_MS, end);
  if (!isSent) cut();
}

function messageOf(
  method: DescMethod,
  body: Bytes,
  format: Format,
  { registry }: JsonStreams,
): Message {
  checkMessage(method, body, format);
  const message = body.subarray(HEAD_BYTES);
  return format.json
    ? fromJsonString(method.input, new TextDecoder().decode(message), { registry })
    : fromBinary(method.input, message);
}

/** The end of a stream: its status and its trailers. */
function endOf(
  { protocolName, responseTrailer }: HandlerContext,
  failure: unknown,
  { endOfStream }: JsonStreams,
): Bytes {
  const error = failure === undefined ? undefined : ConnectError.from(failure, Code.Internal);
  if (protocolName === "connect") {
    return enveloped(
      endStreamFlag,
      endOfStream.serialize({ metadata: responseTrailer, ...(error && { error }) }),
    );
  }
  const status = error && statusMessage(error);
  const lines = [`grpc-status: ${status?.code ?? 0}`];
  if (status) {
    lines.push(`grpc-message: ${grpcMessage(status.message)}`);
    lines.push(`grpc-status-details-bin: ${encodeBinaryHeader(status, StatusSchema)}`);
  }
  const trailers = new Headers(responseTrailer);
  error?.metadata.forEach((value, name) => trailers.append(name, value));
  trailers.forEach((value, name) => lines.push(`${name}: ${value}`));
  return enveloped(GRPC_WEB_TRAILER, encoder.encode(`${lines.join("\r\n")}\r\n`));
}

/** The body of a response, of which at most one chunk waits to be read. */
class BodyOutlet implements Outlet {
  readonly body: ReadableStream<Bytes>;
  readonly #begun = Promise.withResolvers<void>();
  #controller!: ReadableStreamDefaultController<Bytes>;
  #drained: (() => void) | undefined;
  closed = false;

  /** @param onGone called when the reader has gone */
  constructor(onGone: () => void) {
    this.body = new ReadableStream<Bytes>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#drained?.(),
      cancel: () => {
        onGone();
        this.#close();
      },
    });
  }

  /** Resolves with the first chunk. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  write(chunk: Bytes): boolean {
    this.#controller.enqueue(chunk);
    this.#begun.resolve();
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#drained = resolve);
  }

  /** Writes the last chunk. */
  end(chunk: Bytes): void {
    if (this.closed) return;
    this.#controller.enqueue(chunk);
    this.#controller.close();
    this.#close();
  }

  /** Ends the body without its rest; does nothing if it has been read completely. */
  fail(error: unknown): void {
    this.#controller.error(error);
  }

  #close(): void {
    this.closed = true;
    this.#drained?.();
  }
}

const gone = () => new ConnectError("the caller has gone", Code.Canceled);

const tooMuch = () =>
  unreadableRequest("TOO_MUCH_AT_ONCE", "its caller takes more at once than the server can hold");
