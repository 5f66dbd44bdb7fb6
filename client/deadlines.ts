import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";

/**
 * A transport on which no call waits forever: a unary call has a deadline, a stream must begin
 * within it, and an aborted stream ends at once.
 */
export function withDeadlines(transport: Transport, timeoutMs: number): Transport {
  return {
    unary: (method, signal, ownTimeoutMs, header, message, values) =>
      transport.unary(method, signal, ownTimeoutMs ?? timeoutMs, header, message, values),
    async stream(method, signal, ownTimeoutMs, header, input, values) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      const stop = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      const response = transport.stream(method, stop, ownTimeoutMs, header, input, values);
      try {
        return endOnAbort(await unlessAborted(response, stop), stop);
      } catch (error) {
        throw late.signal.aborted
          ? new ConnectError("the stream did not begin", Code.DeadlineExceeded)
          : error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function endOnAbort<I extends DescMessage, O extends DescMessage>(
  response: StreamResponse<I, O>,
  signal: AbortSignal,
): StreamResponse<I, O> {
  const messages = response.message[Symbol.asyncIterator]();
  return {
    ...response,
    message: {
      [Symbol.asyncIterator]: () => ({
        next: () => unlessAborted(messages.next(), signal),
        return: (value: unknown) =>
          messages.return?.(value) ?? Promise.resolve({ done: true, value }),
      }),
    },
  };
}

/** In Deno 2.9, an aborted request does not always end the read of its body. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new ConnectError("the call was aborted", Code.Canceled));
  });
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    // The promise that lost the race may still be rejected; nothing else waits for it.
    promise.catch(() => {});
    aborted.catch(() => {});
  }
}
