import type {
  DescMessage,
  DescMethod,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Batch } from "./batch.ts";

type Message = MessageShape<DescMessage>;

/** A response as methods return it: a message, the fields of one, or several of a stream. */
export type Response = Message | MessageInitShape<DescMessage> | Batch<Message>;

/** One call of a method, as interceptors see it. */
export interface Call {
  readonly service: DescService;
  readonly method: DescMethod;
  /** The request, or the stream of requests if the method takes one. */
  readonly request: Message | AsyncIterable<Message>;
  /**
   * Headers, deadline, signal and values of the call. `callerOf()` returns the caller from it,
   * to the method too, and after `next` to the interceptors outside of `identify`.
   */
  readonly context: HandlerContext;
  /**
   * Receives the response of a unary method, or each message of a stream.
   * @returns a promise that is fulfilled when the next message may be sent, and rejected with
   *   `Canceled` when the reader has gone
   */
  readonly send: (response: Response) => void | Promise<void>;
}

/** Continues a call. Fulfilled when all responses were sent, rejected when the call fails. */
export type Next = (call: Call) => Promise<void>;

/**
 * Code that runs around calls, the same for unary methods and streams. `next` takes as long as the
 * call does, so `try` and `finally` around it see how the call ended. To see or change responses,
 * an interceptor passes on a call with its own `send`.
 */
export interface Interceptor {
  around(call: Call, next: Next): Promise<void>;
}

type Unary = (request: Message, context: HandlerContext) => Response | Promise<Response>;
type Streaming = (request: Call["request"], context: HandlerContext) => AsyncIterable<Response>;

/** Wraps the methods of a service; the first interceptor is the outermost. */
export function intercept<Service extends DescService>(
  service: Service,
  implementation: Partial<ServiceImpl<Service>>,
  interceptors: readonly Interceptor[],
): Partial<ServiceImpl<Service>> {
  const wrapped: Record<string, unknown> = {};
  for (const method of service.methods) {
    const bare = Reflect.get(implementation, method.localName);
    if (typeof bare !== "function") continue;
    wrapped[method.localName] = method.methodKind === "unary"
      ? unary(service, method, bare as Unary, interceptors)
      : streaming(service, method, bare as Streaming, interceptors);
  }
  return wrapped as Partial<ServiceImpl<Service>>;
}

function unary(
  service: DescService,
  method: DescMethod,
  bare: Unary,
  interceptors: readonly Interceptor[],
): Unary {
  const run = chain(interceptors, async ({ request, context, send }) => {
    const response = bare(request as Message, context);
    const sent = send(response instanceof Promise ? await response : response);
    if (sent) await sent;
  });
  return async (request, context) => {
    const answer: { response?: Response } = {};
    const send = (response: Response) => {
      answer.response = response;
    };
    await run({ service, method, request, context, send });
    if (answer.response) return answer.response;
    throw new Error(`${method} got no response: an interceptor did not pass the call on`);
  };
}

function streaming(
  service: DescService,
  method: DescMethod,
  bare: Streaming,
  interceptors: readonly Interceptor[],
): Streaming {
  const run = chain(interceptors, async ({ request, context, send }) => {
    for await (const response of bare(request, context)) await send(response);
  });
  return (request, context) => sentBy((send) => run({ service, method, request, context, send }));
}

function chain(interceptors: readonly Interceptor[], innermost: Next): Next {
  return interceptors.reduceRight<Next>(
    (next, interceptor) => (call) => interceptor.around(call, next),
    innermost,
  );
}

type Turn =
  | {
    readonly type: "sent";
    readonly response: Response;
    readonly taken: () => void;
    readonly refused: (error: unknown) => void;
  }
  | { readonly type: "ended" }
  | { readonly type: "failed"; readonly error: unknown };

/**
 * Yields what `run` sends, at the reader's pace: a message is accepted when the reader asks for it.
 */
async function* sentBy(
  run: (send: (response: Response) => Promise<void>) => Promise<void>,
): AsyncGenerator<Response> {
  let turn = Promise.withResolvers<Turn>();
  const send = (response: Response) => {
    const { promise, resolve: taken, reject: refused } = Promise.withResolvers<void>();
    turn.resolve({ type: "sent", response, taken, refused });
    return promise;
  };
  const over = run(send).then(
    () => turn.resolve({ type: "ended" }),
    (error) => turn.resolve({ type: "failed", error }),
  );
  let unread: Extract<Turn, { type: "sent" }> | undefined;
  try {
    for (;;) {
      const next = await turn.promise;
      if (next.type === "ended") return;
      if (next.type === "failed") throw next.error;
      turn = Promise.withResolvers();
      unread = next;
      yield next.response;
      unread = undefined;
      next.taken();
    }
  } finally {
    unread?.refused(new ConnectError("the reader has gone", Code.Canceled));
    await over;
  }
}
