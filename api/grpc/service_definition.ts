import { Buffer } from "node:buffer";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerDuplexStream,
  ServerWritableStream,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { deadlineExceeded } from "../deadline.ts";
import { toApiError } from "../error_codes.ts";
import type { Batch } from "@mpc/process";
import type { Route } from "../route.ts";
import { deliver, type Responses } from "../streams/deliver.ts";
import type { DeliveryPace } from "../streams/delivery_pace.ts";
import { binaryEnvelope } from "../streams/envelopes.ts";
import { CallContext } from "./call_context.ts";
import { Http2Outlet } from "./http2_outlet.ts";
import { takeLongDeadlines } from "./long_deadlines.ts";
import { refuseUnknownCompression } from "./refuse_compression.ts";
import { UnreadableMessage } from "./unreadable_message.ts";
import { statusOf } from "./status.ts";

takeLongDeadlines();
refuseUnknownCompression();

type Message = MessageShape<DescMessage>;
type Request = Message | UnreadableMessage;
type Unary = (request: Message, context: HandlerContext) => Message | Promise<Message>;
type Streaming<Request> = (request: Request, context: HandlerContext) => Responses;

/** State that calls share with their server. */
export interface Lifetime {
  /** Aborts when no more calls are accepted; streams end with it. */
  readonly shutdown: AbortSignal;
  /** When streams may write. */
  readonly pace: DeliveryPace;
  /** How long the reader of a stream may leave its messages, and then its status, unread. */
  readonly stallMs: number;
}

/** A route in the form that grpc-js serves. */
export function serviceDefinition(
  route: Route,
  lifetime: Lifetime,
): { definition: ServiceDefinition; handlers: UntypedServiceImplementation } {
  const definition: Record<string, MethodDefinition<Request, Message>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const method of route.service.methods) {
    const implementation = Reflect.get(route.implementation, method.localName);
    if (typeof implementation !== "function") continue;
    definition[method.localName] = methodDefinition(method);
    handlers[method.localName] = handler(route, method, implementation, lifetime);
  }
  return { definition, handlers };
}

function handler(
  route: Route,
  method: DescMethod,
  implementation: Unary & Streaming<Message> & Streaming<AsyncIterable<Message>>,
  lifetime: Lifetime,
): UntypedHandleCall {
  switch (method.methodKind) {
    case "unary":
      return unary(route, method, implementation, lifetime);
    case "server_streaming":
      return serverStreaming(route, method, implementation, lifetime);
    case "bidi_streaming":
      return bidiStreaming(route, method, implementation, lifetime);
    case "client_streaming":
      throw new TypeError(`Cannot serve ${method}: streams of requests with one answer are not`);
  }
}

function methodDefinition(method: DescMethod): MethodDefinition<Request, Message> {
  const serialize = (desc: DescMessage) => (message: Message) => {
    const bytes = toBinary(desc, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const deserialize = (desc: DescMessage) => (bytes: Uint8Array) => fromBinary(desc, bytes);
  const request = (bytes: Uint8Array): Request => {
    try {
      return fromBinary(method.input, bytes);
    } catch (error) {
      return new UnreadableMessage(error);
    }
  };
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "bidi_streaming",
    responseStream: method.methodKind !== "unary",
    requestSerialize: (message) => serialize(method.input)(readable(message)),
    requestDeserialize: request,
    responseSerialize: serialize(method.output),
    responseDeserialize: deserialize(method.output),
  };
}

function unary(
  route: Route,
  method: DescMethod,
  implementation: Unary,
  lifetime: Lifetime,
): handleUnaryCall<Request, Message> {
  return async (call, callback) => {
    const context = new CallContext(route.service, method, call, lifetime.shutdown);
    try {
      refuseWhenOver(lifetime, context);
      const answer = await implementation(readable(call.request), context);
      sendHeader(call, context);
      callback(null, complete(method, answer), context.sentTrailer);
    } catch (error) {
      sendHeader(call, context);
      callback(statusOf(error, context.sentTrailer));
    } finally {
      context.dispose();
    }
  };
}

function serverStreaming(
  route: Route,
  method: DescMethod,
  implementation: Streaming<Message>,
  lifetime: Lifetime,
): handleServerStreamingCall<Request, Message> {
  return (call) =>
    answer(
      route,
      method,
      call,
      lifetime,
      (context) => implementation(readable(call.request), context),
    );
}

function bidiStreaming(
  route: Route,
  method: DescMethod,
  implementation: Streaming<AsyncIterable<Message>>,
  lifetime: Lifetime,
): handleBidiStreamingCall<Request, Message> {
  return (call) =>
    answer(route, method, call, lifetime, (context) =>
      // The end of the requests is not the end of the call: responses may still be on their way.
      implementation(readableOnes(call.iterator({ destroyOnReturn: false })), context));
}

async function* readableOnes(requests: AsyncIterable<Request>): AsyncGenerator<Message> {
  for await (const request of requests) yield readable(request);
}

function readable(request: Request): Message {
  if (request instanceof UnreadableMessage) throw request.toError();
  return request;
}

/** Writes what an implementation yields, at the pace of the reader. */
async function answer(
  route: Route,
  method: DescMethod,
  call: ServerWritableStream<Request, Message> | ServerDuplexStream<Request, Message>,
  lifetime: Lifetime,
  messages: (context: HandlerContext) => Responses,
): Promise<void> {
  const context = new CallContext(route.service, method, call, lifetime.shutdown);
  try {
    refuseWhenOver(lifetime, context);
    const outlet = new Http2Outlet(call);
    const { signal } = context;
    const cutOff = (reason: ConnectError) => {
      context.cutOff(reason);
      outlet.resetAfter(lifetime.stallMs);
    };
    await deliver(afterHeader(messages(context), call, context), {
      ...{ method, outlet, signal, cutOff, encode: binaryEnvelope },
      ...lifetime,
    });
    // A stream that was cut off reports why, so that its reader does not take it for the end.
    if (context.signal.aborted && !call.cancelled) {
      call.emit("error", statusOf(context.signal.reason, context.sentTrailer));
    } else call.end(context.sentTrailer);
  } catch (error) {
    call.emit("error", statusOf(error, context.sentTrailer));
  } finally {
    context.dispose();
  }
}

type SendsMetadata = Pick<ServerWritableStream<Request, Message>, "sendMetadata">;

/** Sends the metadata that the method has set; grpc-js sends none by itself before an error. */
function sendHeader(call: SendsMetadata, { sentHeader }: CallContext<Request, Message>): void {
  if (sentHeader) call.sendMetadata(sentHeader);
}

/**
 * Sends the metadata of a stream before its first message. That may be long in coming, and the
 * caller is to know that the call is taken; so the method has one turn of the event loop to set it.
 */
async function* afterHeader(
  messages: Responses,
  call: SendsMetadata,
  context: CallContext<Request, Message>,
): AsyncGenerator<Message | Batch<Message>> {
  let sent = false;
  const send = () => {
    if (!sent) call.sendMetadata(context.sentHeader ?? new Metadata());
    sent = true;
  };
  // A method that reads requests may need the first one to know what to set.
  const timer = context.method.methodKind === "bidi_streaming" ? undefined : setTimeout(send, 0);
  try {
    for await (const message of messages) {
      if (!sent) send();
      yield message;
    }
  } finally {
    clearTimeout(timer);
    send();
  }
}

function refuseWhenOver({ shutdown }: Lifetime, context: HandlerContext): void {
  if ((context.timeoutMs() ?? 1) <= 0) throw deadlineExceeded();
  if (!shutdown.aborted) return;
  throw toApiError(
    new MpcError("UNAVAILABLE", {
      reason: "SHUTTING_DOWN",
      message: "Cannot take the call: the server is shutting down",
    }),
  );
}

function complete(method: DescMethod, message: Message): Message {
  return "$typeName" in message ? message : create(method.output, message);
}
