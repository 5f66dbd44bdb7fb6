import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createHandlerContext,
  type HandlerContext,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { Batch } from "@mpc/process";
import type { Route } from "./route.ts";
import { type Client, clientValues } from "./web/web_call.ts";

type Unary = (request: unknown, context: HandlerContext) => unknown;
type Streaming = (request: unknown, context: HandlerContext) => AsyncIterable<unknown>;

/**
 * Calls routes of this process without a connection, through the same interceptors as calls from
 * outside: identity, permissions, rate limit and audit.
 * @param client the client on whose behalf the calls are made
 */
export function inProcessTransport(
  routes: readonly Route[],
  client: Omit<Client, "peer">,
): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input) {
      const implementation = implementationOf(routes, method) as Unary;
      const context = contextOf(method, client, { signal, timeoutMs, header });
      try {
        const request = create(method.input, input);
        const answer = implementation(request, context);
        const response = await unlessAborted(Promise.resolve(answer), context.signal);
        return responseOf(method, messageOf(method.output, response));
      } catch (error) {
        throw errorOf(error, context);
      } finally {
        context.abort();
      }
    },
    async stream(method, signal, timeoutMs, header, input) {
      const implementation = implementationOf(routes, method) as Streaming;
      const first = await input[Symbol.asyncIterator]().next();
      const context = contextOf(method, client, { signal, timeoutMs, header });
      const request = create(method.input, first.value);
      return streamOf(method, messagesOf(method, implementation(request, context), context));
    },
  };
}

function implementationOf(routes: readonly Route[], { parent, localName }: DescMethod): unknown {
  const route = routes.find(({ service }) => service.typeName === parent.typeName);
  const implementation = route && Reflect.get(route.implementation, localName);
  if (typeof implementation === "function") return implementation;
  throw new ConnectError(
    `there is no method '${parent.typeName}/${localName}'`,
    Code.Unimplemented,
  );
}

interface CallSettings {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly header: HeadersInit | undefined;
}

function contextOf(
  method: DescMethod,
  client: Omit<Client, "peer">,
  { signal, timeoutMs, header }: CallSettings,
) {
  return createHandlerContext({
    service: method.parent,
    method,
    protocolName: "in-process",
    requestMethod: "POST",
    url: `http://localhost/${method.parent.typeName}/${method.name}`,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(signal && { requestSignal: signal }),
    requestHeader: new Headers(header),
    contextValues: clientValues(client),
  });
}

/** The messages of a stream one by one; the method ends when its reader stops. */
async function* messagesOf<O extends DescMessage>(
  method: DescMethod & { readonly output: O },
  answers: AsyncIterable<unknown>,
  context: ReturnType<typeof contextOf>,
): AsyncGenerator<MessageShape<O>> {
  try {
    for await (const answer of answers) {
      if (!(answer instanceof Batch)) yield messageOf(method.output, answer);
      else {
        for (; answer.written < answer.messages.length;) {
          yield messageOf(method.output, answer.messages[answer.written++]);
        }
      }
    }
  } catch (error) {
    throw errorOf(error, context);
  } finally {
    context.abort();
  }
}

const messageOf = <O extends DescMessage>(output: O, answer: unknown): MessageShape<O> =>
  create(output, answer as MessageInitShape<O>);

/** The deadline ends a call even if its method does not notice it. */
async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const errorOf = (error: unknown, { signal }: HandlerContext): ConnectError =>
  ConnectError.from(signal.aborted && !(error instanceof ConnectError) ? signal.reason : error);

function responseOf<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  message: MessageShape<O>,
): UnaryResponse<I, O> {
  const [header, trailer] = [new Headers(), new Headers()];
  return { stream: false, service: method.parent, method, header, trailer, message };
}

function streamOf<I extends DescMessage, O extends DescMessage>(
  method: DescMethodStreaming<I, O>,
  message: AsyncIterable<MessageShape<O>>,
): StreamResponse<I, O> {
  const [header, trailer] = [new Headers(), new Headers()];
  return { stream: true, service: method.parent, method, header, trailer, message };
}
