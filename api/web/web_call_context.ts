import type { DescMethod } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import { Deadline, parseGrpcTimeout } from "../deadline.ts";
import { type Client, clientValues } from "./web_call.ts";

/** A unary call at the web door. Its parts are created on demand. */
export class WebCallContext implements HandlerContext {
  readonly protocolName = "grpc-web";
  readonly requestMethod = "POST";
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  readonly method: DescMethod;
  readonly #request: Request;
  readonly #client: Client;
  readonly deadline: Deadline | undefined;
  #signal: AbortSignal | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, request: Request, client: Client) {
    this.method = method;
    this.#request = request;
    this.#client = client;
    const timeoutMs = parseGrpcTimeout(request.headers.get("grpc-timeout") ?? "");
    this.deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs);
  }

  get service(): HandlerContext["service"] {
    return this.method.parent;
  }

  get url(): string {
    return this.#request.url;
  }

  get requestHeader(): Headers {
    return this.#request.headers;
  }

  get responseHeader(): Headers {
    return this.#responseHeader ??= new Headers();
  }

  get responseTrailer(): Headers {
    return this.#responseTrailer ??= new Headers();
  }

  /** Headers that the method has set, if it has. */
  get sentHeader(): Headers | undefined {
    return this.#responseHeader;
  }

  /** Trailers that the method has set, if it has. */
  get sentTrailer(): Headers | undefined {
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    return this.#values ??= clientValues(this.#client);
  }

  get signal(): AbortSignal {
    // Most calls have no deadline; then the request's own signal is sufficient.
    if (!this.deadline) return this.#request.signal;
    return this.#signal ??= AbortSignal.any([this.#request.signal, this.deadline.signal]);
  }

  timeoutMs(): number | undefined {
    return this.deadline?.leftMs;
  }

  /** Stops timers. Must be called when the call has ended. */
  dispose(): void {
    this.deadline?.dispose();
  }
}
