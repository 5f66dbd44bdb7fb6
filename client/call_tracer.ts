/** Traces of a program's calls. Loads neither Connect nor OpenTelemetry: most programs trace nothing. */
import type { Transport } from "@connectrpc/connect";

/** How a call reaches the server. */
export type Carrier = "fetch" | "grpc";

/** Makes a span of each call that the program sends; a call that is repeated is several. */
export interface CallTracer {
  /** @param method such as `mpc.v1.EnvironmentService/GetEnvironment` */
  begin(method: string, carrier: Carrier): CallSpan;
}

/** The span of one call. */
export interface CallSpan {
  /** The trace context that the call carries (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
  /** Runs the call, so that what the runtime traces of it is inside of the span. */
  within<T>(run: () => T): T;
  /** Called with each message of the answer. */
  received(message: object): void;
  /** @param error absent if the call has succeeded */
  end(error?: unknown): void;
}

/** A transport whose calls are spans. */
export function withTracer(transport: Transport, tracer: CallTracer, carrier: Carrier): Transport {
  const begin = (method: Parameters<Transport["unary"]>[0] | Parameters<Transport["stream"]>[0]) =>
    tracer.begin(`${method.parent.typeName}/${method.name}`, carrier);
  const carrying = (header: HeadersInit | undefined, span: CallSpan) => {
    const all = new Headers(header);
    for (const [name, value] of Object.entries(span.headers)) all.set(name, value);
    return all;
  };
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const span = begin(method);
      return await ended(span, async () => {
        const headers = carrying(header, span);
        const call = () => transport.unary(method, signal, timeoutMs, headers, input, values);
        const response = await span.within(call);
        span.received(response.message);
        span.end();
        return response;
      });
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      const span = begin(method);
      return await ended(span, async () => {
        const headers = carrying(header, span);
        const call = () => transport.stream(method, signal, timeoutMs, headers, input, values);
        const response = await span.within(call);
        return { ...response, message: observed(response.message, span) };
      });
    },
  };
}

/** Ends the span of what fails. */
export async function ended<T>(span: CallSpan, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    span.end(error);
    throw error;
  }
}

async function* observed<T extends object>(
  messages: AsyncIterable<T>,
  span: CallSpan,
): AsyncGenerator<T, void> {
  let failure: unknown;
  try {
    for await (const message of messages) {
      span.received(message);
      yield message;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A reader that stops early has what it wants.
    span.end(failure);
  }
}
