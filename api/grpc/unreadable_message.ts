import { MpcError } from "@mpc/domain";

/** Stands for a request that is no message of its type; grpc-js would tell the caller INTERNAL. */
export class UnreadableMessage {
  readonly #cause: unknown;

  constructor(cause: unknown) {
    this.#cause = cause;
  }

  /** What the caller is told. */
  toError(): MpcError {
    return new MpcError("INVALID_ARGUMENT", {
      reason: "UNREADABLE_MESSAGE",
      message: "Cannot read the request: its bytes are no message of the method's type",
      cause: this.#cause,
    });
  }
}
