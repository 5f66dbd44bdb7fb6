import type { DescMessage, DescMethod, MessageShape, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import { createEndStreamSerialization, endStreamFlag } from "@connectrpc/connect/protocol-connect";
import { within } from "../connections/within.ts";
import { Deadline } from "../deadline.ts";
import { deliver, type Outlet, type Responses } from "../streams/deliver.ts";
import type { DeliveryPace } from "../streams/delivery_pace.ts";
import { binaryEnvelope, jsonEnvelopes, type ToEnvelope } from "../streams/envelopes.ts";
import { enveloped } from "./envelope.ts";
import { failedTrailer, okTrailer } from "./grpc_web_trailer.ts";
import type { BodyReader } from "./read_body.ts";
import { type Format, readHead, readMessage, type RequestHead } from "./read_request.ts";
import { clientValues, tooMuchAtOnce, type WebCall } from "./web_call.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Message = MessageShape<DescMessage>;
type Implementation = (request: Message, context: HandlerContext) => Responses;

/** The cost of a stream for its peer: the chunks that wait for its reader. */
const STREAM_BYTES = 16 * 1024;

/** How long HTTP/2 may take to reset a stream. */
const RESET_MS = 500;

/** How a door's streams write JSON. */
export interface JsonStreams {
  readonly envelope: ToEnvelope;
  readonly endOfStream: ReturnType<typeof createEndStreamSerialization>;
}

/** @param registry the types that an `Any` in a message or in an error's details may hold */
export const jsonStreams = (registry: Registry): JsonStreams => ({
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
    contextValues: clientValues(call),
  });
  const context = { ...bare, timeoutMs: () => deadline?.leftMs };
  const { signal } = context;
  const outlet = new BodyOutlet(() => bare.abort(gone()));
  const deliveries = (async () => {
    let failure: unknown;
    try {
      const bytes = await bodies.read(request, call);
      if (!call.untilSent(STREAM_BYTES)) throw tooMuchAtOnce("takes");
      signal.throwIfAborted();
      const responses = implementation(readMessage(method, bytes, format), context);
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
  return error ? failedTrailer(error, responseTrailer) : okTrailer(responseTrailer);
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
