import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";

/** A timer that is set for longer goes off at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A unary call at the web door; everything in it is made when it is asked for. */
export class WebCallContext implements HandlerContext {
  readonly protocolName = "grpc-web";
  readonly requestMethod = "POST";
  readonly responseHeader = new Headers();
  readonly responseTrailer = new Headers();
  readonly method: DescMethod;
  readonly #request: Request;
  readonly #deadline: number | undefined;
  #deadlineSignal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, request: Request, timeoutMs: number | undefined) {
    this.method = method;
    this.#request = request;
    this.#deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
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

  get values(): ContextValues {
    return this.#values ??= createContextValues();
  }

  get signal(): AbortSignal {
    // Most calls have no deadline: then the request's own signal says all there is to say.
    const timeoutMs = this.timeoutMs();
    if (timeoutMs === undefined) return this.#request.signal;
    this.#deadlineSignal ??= this.#withDeadline(timeoutMs);
    return this.#deadlineSignal;
  }

  #withDeadline(timeoutMs: number): AbortSignal {
    const expired = new AbortController();
    this.#timer = setTimeout(
      () => expired.abort(new ConnectError("the deadline has passed", Code.DeadlineExceeded)),
      Math.min(Math.max(0, timeoutMs), MAX_TIMER_MS),
    );
    return AbortSignal.any([this.#request.signal, expired.signal]);
  }

  timeoutMs(): number | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - Date.now();
  }

  /** Lets go of timers; call it when the call has ended. */
  dispose(): void {
    clearTimeout(this.#timer);
  }
}
