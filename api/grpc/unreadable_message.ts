import type { ConnectError } from "@connectrpc/connect";
import { unreadableRequest } from "../unreadable_request.ts";

/**
 * Represents a request that cannot be decoded; grpc-js itself would report INTERNAL to the caller.
 */
export class UnreadableMessage {
  readonly #cause: unknown;

  constructor(cause: unknown) {
    this.#cause = cause;
  }

  /** The error for the caller. */
  toError(): ConnectError {
    const why = "its bytes are no message of the method's type";
    return unreadableRequest("UNREADABLE_MESSAGE", why, this.#cause);
  }
}
