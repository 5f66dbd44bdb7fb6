import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { EventEmitter } from "node:events";

/** Counts calls until their responses are sent, so that a shutdown can wait for them. */
export class RunningCalls {
  #count = 0;
  #idle = Promise.withResolvers<void>();

  /**
   * Counts a call until its HTTP/2 stream has closed. Nothing earlier is sufficient: after a
   * handler has returned, grpc-js still passes the response to HTTP/2, in several turns of the
   * event loop, and HTTP/2 writes it, which takes as long as the peer takes to read it.
   * @param call the innermost call, which has the stream; grpc-js's interfaces do not report when a
   *   call's last byte is written
   */
  track(call: ServerInterceptingCallInterface): void {
    const stream: unknown = Reflect.get(call, "stream");
    if (!(stream instanceof EventEmitter)) {
      throw new TypeError("Cannot count a call of grpc-js: it has no stream");
    }
    this.#count++;
    stream.once("close", () => {
      if (--this.#count > 0) return;
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    });
  }

  /** Resolves when every call's response has been written to its connection. */
  async idle(): Promise<void> {
    while (this.#count > 0) await this.#idle.promise;
  }
}
