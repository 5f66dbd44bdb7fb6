import { Code, ConnectError } from "@connectrpc/connect";
import { unreadableRequest } from "../unreadable_request.ts";

/** What reading a stream of requests may end with besides bytes that are none. */
const NOT_OF_BYTES: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Unavailable,
]);

/**
 * A caller's stream of requests. Connect reads it one by one, and tells INTERNAL of what it cannot
 * read; here that is the caller's fault, with an ErrorInfo.
 */
export async function* readableOnes<T>(requests: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* requests;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (NOT_OF_BYTES.has(code)) throw error;
    throw code === Code.ResourceExhausted
      ? unreadableRequest("MESSAGE_TOO_LARGE", "a message is larger than the server takes", error)
      : unreadableRequest(
        "UNREADABLE_MESSAGE",
        "its stream holds bytes that are no message",
        error,
      );
  }
}
