import { Buffer } from "node:buffer";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { HandlerContext } from "@connectrpc/connect";
import type { Route } from "../route.ts";
import { CallContext } from "./call_context.ts";
import { statusOf } from "./status.ts";

type Message = MessageShape<DescMessage>;
type Unary = (request: Message, context: HandlerContext) => Message | Promise<Message>;
type Streaming = (request: Message, context: HandlerContext) => AsyncIterable<Message>;

/** A route as grpc-js serves it. */
export function serviceDefinition(
  route: Route,
  shutdown: AbortSignal,
): { definition: ServiceDefinition; handlers: UntypedServiceImplementation } {
  const definition: Record<string, MethodDefinition<Message, Message>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const method of route.service.methods) {
    const implementation = Reflect.get(route.implementation, method.localName);
    if (typeof implementation !== "function") continue;
    definition[method.localName] = methodDefinition(method);
    handlers[method.localName] = method.methodKind === "unary"
      ? unary(route, method, implementation, shutdown)
      : streaming(route, method, implementation, shutdown);
  }
  return { definition, handlers };
}

function methodDefinition(method: DescMethod): MethodDefinition<Message, Message> {
  const serialize = (desc: DescMessage) => (message: Message) => {
    const bytes = toBinary(desc, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const deserialize = (desc: DescMessage) => (bytes: Uint8Array) => fromBinary(desc, bytes);
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestSerialize: serialize(method.input),
    requestDeserialize: deserialize(method.input),
    responseSerialize: serialize(method.output),
    responseDeserialize: deserialize(method.output),
  };
}

function unary(
  route: Route,
  method: DescMethod,
  implementation: Unary,
  shutdown: AbortSignal,
): handleUnaryCall<Message, Message> {
  return async (call, callback) => {
    const context = new CallContext(route.service, method, call, shutdown);
    try {
      const answer = await implementation(call.request, context);
      callback(null, complete(method, answer));
    } catch (error) {
      callback(statusOf(error));
    } finally {
      context.dispose();
    }
  };
}

function streaming(
  route: Route,
  method: DescMethod,
  implementation: Streaming,
  shutdown: AbortSignal,
): handleServerStreamingCall<Message, Message> {
  return async (call) => {
    const context = new CallContext(route.service, method, call, shutdown);
    try {
      for await (const message of implementation(call.request, context)) {
        if (context.signal.aborted) break;
        if (!call.write(complete(method, message))) await drained(call, context.signal);
      }
      // A stream that was cut off says why, so that its reader does not take it for the end.
      if (context.signal.aborted && !call.cancelled) {
        call.emit("error", statusOf(context.signal.reason));
      } else call.end();
    } catch (error) {
      call.emit("error", statusOf(error));
    } finally {
      context.dispose();
    }
  };
}

function complete(method: DescMethod, message: Message): Message {
  return "$typeName" in message ? message : create(method.output, message);
}

function drained(
  call: ServerWritableStream<Message, Message>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      call.off("drain", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", done);
    call.once("drain", done);
  });
}
