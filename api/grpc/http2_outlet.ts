import { EventEmitter } from "node:events";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Outlet } from "../streams/deliver.ts";

/**
 * Writes messages to the HTTP/2 stream of a call. grpc-js takes single messages, and several turns
 * of the event loop for each.
 */
export class Http2Outlet implements Outlet {
  readonly #stream: ServerHttp2Stream;

  /** @param call a streaming call of a grpc-js handler, after its metadata was sent */
  constructor(call: object) {
    this.#stream = http2StreamOf(call);
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk);
  }

  drained(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve) => {
      const done = () => {
        stream.off("drain", done);
        stream.off("close", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
    });
  }

  /** Resets the stream unless it ends in time; a reader that does not read would keep it open. */
  resetAfter(ms: number): void {
    const stream = this.#stream;
    if (this.closed) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM), ms);
    stream.once("close", () => clearTimeout(timer));
  }
}

/** The HTTP/2 stream of a call, which grpc-js keeps behind its interceptors. */
function http2StreamOf(call: object): ServerHttp2Stream {
  let inner: unknown = Reflect.get(call, "call");
  while (typeof inner === "object" && inner !== null) {
    const stream: unknown = Reflect.get(inner, "stream");
    if (stream instanceof EventEmitter) return stream as ServerHttp2Stream;
    inner = Reflect.get(inner, "nextCall");
  }
  throw new TypeError("Cannot write to a call: this version of grpc-js keeps its stream elsewhere");
}
