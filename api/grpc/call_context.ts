import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { EventEmitter } from "node:events";
import type { Metadata, ServerUnaryCall } from "@grpc/grpc-js";
import { afterDelay, PEER_CERTIFICATE, SOURCE } from "@mpc/process";
import { deadlineExceeded } from "../deadline.ts";
import { certificateOf } from "./call_certificate.ts";
import { headersOf, metadataOf } from "./wire_metadata.ts";

type Call<I, O> =
  & Pick<
    ServerUnaryCall<I, O>,
    "cancelled" | "metadata" | "getDeadline" | "getPath" | "getPeer" | "getAuthContext"
  >
  & Pick<EventEmitter, "on">;

/** The same for all calls, because creating an error takes a tenth of a short call (measured). */
const CALL_ENDED = new ConnectError("the call has ended", Code.Canceled);

/**
 * A grpc-js call with the interface of Connect's implementations. Its parts are created on demand,
 * because most calls are short and use few of them.
 */
export class CallContext<I, O> implements HandlerContext {
  readonly service: DescService;
  readonly method: DescMethod;
  readonly protocolName = "grpc";
  readonly requestMethod = "POST";
  readonly #call: Call<I, O>;
  readonly #shutdown: AbortSignal;
  #abort: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  constructor(service: DescService, method: DescMethod, call: Call<I, O>, shutdown: AbortSignal) {
    this.service = service;
    this.method = method;
    this.#call = call;
    this.#shutdown = shutdown;
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    // grpc-js also cancels calls whose deadline has passed, and calls that have been answered.
    const cancel = () => {
      if (abort.signal.aborted) return;
      abort.abort(
        (this.timeoutMs() ?? 1) <= 0
          ? deadlineExceeded()
          : new ConnectError("the caller has gone", Code.Canceled),
      );
    };
    if (this.#call.cancelled) cancel();
    this.#call.on("cancelled", cancel);
    const timeoutMs = this.timeoutMs();
    if (timeoutMs !== undefined) {
      const expire = () => abort.abort(deadlineExceeded());
      if (timeoutMs <= 0) expire();
      else this.#cancelTimer = afterDelay(timeoutMs, expire);
    }
    if (this.method.methodKind !== "unary") {
      const shutDown = () =>
        abort.abort(new ConnectError("the server is shutting down", Code.Unavailable));
      if (this.#shutdown.aborted) shutDown();
      this.#shutdown.addEventListener("abort", shutDown, { signal: abort.signal });
    }
    return abort.signal;
  }

  timeoutMs(): number | undefined {
    const deadline = this.#call.getDeadline();
    const at = deadline instanceof Date ? deadline.getTime() : deadline;
    return Number.isFinite(at) ? at - Date.now() : undefined;
  }

  get url(): string {
    return `grpc://local${this.#call.getPath()}`;
  }

  get requestHeader(): Headers {
    return this.#requestHeader ??= headersOf(this.#call.metadata);
  }

  get responseHeader(): Headers {
    return this.#responseHeader ??= new Headers();
  }

  get responseTrailer(): Headers {
    return this.#responseTrailer ??= new Headers();
  }

  /** Metadata to be sent before the first message, if the method has set any. */
  get sentHeader(): Metadata | undefined {
    return metadataOf(this.#responseHeader);
  }

  /** Metadata to be sent with the status, if the method has set any. */
  get sentTrailer(): Metadata | undefined {
    return metadataOf(this.#responseTrailer);
  }

  get values(): ContextValues {
    return this.#values ??= createContextValues().set(SOURCE, addressOf(this.#call.getPeer()))
      .set(PEER_CERTIFICATE, certificateOf(this.#call));
  }

  /** Aborts the call's signal. */
  cutOff(reason: ConnectError): void {
    void this.signal;
    this.#abort?.abort(reason);
  }

  /** Stops timers. Must be called when the call has ended. */
  dispose(): void {
    this.#cancelTimer?.();
    this.#abort?.abort(CALL_ENDED);
  }
}

/** The IP address of a peer from grpc-js's address and port, without brackets. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "");
}
