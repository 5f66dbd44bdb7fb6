import type { ConnectError } from "@connectrpc/connect";
import { unreadableRequest } from "../unreadable_request.ts";

/** Stands for a request that is no message of its type; grpc-js would tell the caller INTERNAL. */
export class UnreadableMessage {
  readonly #cause: unknown;

  constructor(cause: unknown) {
    this.#cause = cause;
  }

  /** What the caller is told. */
  toError(): ConnectError {
    const why = "its bytes are no message of the method's type";
    return unreadableRequest("UNREADABLE_MESSAGE", why, this.#cause);
  }
}
