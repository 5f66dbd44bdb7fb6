import type { StreamResponse, Transport } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { DescMessage } from "@bufbuild/protobuf";

/**
 * A transport on which nothing waits for ever: the whole of a unary call has a deadline, of a
 * stream only its beginning, and a stream that is aborted ends at once.
 */
export function patientTransport(transport: Transport, timeoutMs: number): Transport {
  return {
    unary: (method, signal, ownTimeoutMs, header, message, values) =>
      transport.unary(method, signal, ownTimeoutMs ?? timeoutMs, header, message, values),
    async stream(method, signal, ownTimeoutMs, header, input, values) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      const stop = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      const begin = transport.stream(method, stop, ownTimeoutMs, header, input, values);
      try {
        return endingWith(await unlessAborted(begin, stop), stop);
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

function endingWith<I extends DescMessage, O extends DescMessage>(
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
          messages.return?.(value) ??
            Promise.resolve({ done: true, value }),
      }),
    },
  };
}

/** In Deno 2.9, a read of a body that is aborted at the wrong moment does not end by itself. */
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
    // Whichever lost may still fail, and nobody is left to hear of it.
    promise.catch(() => {});
    aborted.catch(() => {});
  }
}
