import { errorFor, isMpcError, MpcError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { type Slot, Slots } from "../../../slots.ts";
import { aborted, throwIfAborted } from "../../provider_errors.ts";
import { type BreakerOptions, CircuitBreaker } from "./circuit_breaker.ts";
import { type ClusterAccess, type Endpoint, openEndpoint } from "./credentials.ts";
import { readFetchFailure } from "./fetch_failure.ts";
import { streamText } from "./response_stream.ts";
import { type Asked, type KubeStatus, startingError, statusError } from "./status_error.ts";
import { type RequestRate, TokenBucket } from "./token_bucket.ts";

/** Limits on the requests to one cluster. */
export interface ClientLimits {
  readonly rate: RequestRate;
  readonly breaker: BreakerOptions;
  /** Until the beginning of a response. */
  readonly requestTimeoutMs: number;
  /** Between two lines of a streamed response. */
  readonly idleTimeoutMs: number;
}

/** As generous as kubectl: API servers protect themselves ("API Priority and Fairness"). */
export const DEFAULT_LIMITS: ClientLimits = {
  rate: { perSecond: 100, burst: 300 },
  breaker: { failures: 5, openMs: 2_000 },
  requestTimeoutMs: 20_000,
  // The server sends a bookmark about every minute.
  idleTimeoutMs: 90_000,
};

export interface Request {
  readonly method: "GET" | "PATCH" | "POST" | "DELETE";
  /** Includes the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** The media types of the answer; JSON by default. */
  readonly accept?: string;
  readonly signal: AbortSignal;
  readonly asked: Asked;
  /** What is done to which kind of object; absent for the discovery of kinds. */
  readonly about?: { readonly verb: KubernetesVerb; readonly kind: string };
}

/** What requests do, as Kubernetes names it, and `logs`. */
export type KubernetesVerb = "get" | "list" | "watch" | "apply" | "create" | "delete" | "logs";

/** One HTTP request that has its response, or none. */
export interface EndedRequest {
  readonly verb: KubernetesVerb | "discover";
  /** The kind of object: `Pod`; empty for the discovery of kinds. */
  readonly kind: string;
  /** The status of the response, or the code of the error without one. */
  readonly code: string;
  /** Until the beginning of the response. */
  readonly durationMs: number;
}

/**
 * Requests that wait for their response at the same time. More would only wait in the server, or for
 * one of the 100 streams of its connection, and use up their own time there.
 */
const MAX_UNANSWERED = 80;

/** How often a busy server is tried; the caller retries if the server asks for a longer pause. */
const MAX_TRIES = 4;
const LONGEST_PAUSE_MS = 10_000;

/** The shortest time between two renewals of rejected credentials. */
const RENEW_AFTER_MS = 10_000;

/** How long an API server that has just started may deny everything, until it has loaded its roles. */
const STARTING_MS = 10_000;

/** A request that has no response after this time, when its caller's time is up, is unanswered. */
const UNANSWERED_MS = 5_000;

/** Endpoints that are kept open after their renewal, for requests that still use them. */
const MAX_OUTDATED = 3;

/** Sends requests to one cluster with a rate limit, timeouts, and retries if the server asks for them. */
export class Requester {
  readonly cluster: string;
  readonly limits: ClientLimits;
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #breaker: CircuitBreaker;
  readonly #onRequest: ((request: EndedRequest) => void) | undefined;
  readonly #unanswered = new Slots(MAX_UNANSWERED);
  #endpoint: Promise<Endpoint> | undefined;
  /** Former endpoints that requests may still use, oldest first. */
  readonly #outdated: Promise<Endpoint>[] = [];
  #discardedAt = -Infinity;

  constructor(options: {
    readonly access: ClusterAccess;
    readonly clock: Clock;
    readonly limits: ClientLimits;
    readonly onRequest?: ((request: EndedRequest) => void) | undefined;
  }) {
    this.cluster = options.access.cluster;
    this.limits = options.limits;
    this.#access = options.access;
    this.#clock = options.clock;
    this.#onRequest = options.onRequest;
    this.#bucket = new TokenBucket(options.limits.rate, options.clock);
    this.#breaker = new CircuitBreaker(this.cluster, options.limits.breaker, options.clock);
  }

  /** The JSON of a response; undefined for a missing object if `missing` allows it. */
  async json(request: Request, missing: "undefined" | "throws" = "throws"): Promise<unknown> {
    for (let attempt = 1;; attempt++) {
      const response = await this.send(request);
      if (response.ok) return JSON.parse(await this.#text(request, response));
      const status = await this.#status(request, response);
      if (status.code === 404 && missing === "undefined" && status.details?.kind !== undefined) {
        return undefined;
      }
      if (this.#isStarting(response)) throw startingError(status, request.asked);
      const pauseMs = retryAfterMs(response, status);
      if (pauseMs === undefined || attempt >= MAX_TRIES) throw statusError(status, request.asked);
      await this.#clock.sleep(pauseMs, request.signal);
    }
  }

  /** A response as a stream; the caller handles its end and its timeouts. */
  async stream(request: Request): Promise<ReadableStream<Uint8Array>> {
    const response = await this.send(request);
    if (response.ok && response.body) return response.body;
    throw statusError(await this.#status(request, response), request.asked);
  }

  /** Sends a request, and once more if the server rejects credentials that can be renewed. */
  async send(request: Request): Promise<Response> {
    const used = this.#endpoint;
    const response = await this.#sendOnce(request);
    if (response.status !== 401) return response;
    const wasRenewed = used !== undefined && used !== this.#endpoint;
    if (!wasRenewed && !this.#discardEndpoint()) return response;
    await response.body?.cancel();
    return await this.#sendOnce(request);
  }

  async close(): Promise<void> {
    await closeAll([...this.#outdated, ...(this.#endpoint ? [this.#endpoint] : [])]);
  }

  async #sendOnce(request: Request): Promise<Response> {
    throwIfAborted(request.signal);
    await this.#bucket.take(request.signal);
    const slot = await this.#slot(request.signal);
    const began = this.#clock.monotonic();
    let code = "UNKNOWN";
    try {
      const response = await this.#guarded(request);
      code = String(response.status);
      return response;
    } catch (error) {
      if (isMpcError(error)) code = error.code;
      throw error;
    } finally {
      slot.release();
      const { verb, kind } = request.about ?? { verb: "discover", kind: "" };
      this.#onRequest?.({ verb, kind, code, durationMs: this.#clock.monotonic() - began });
    }
  }

  async #slot(signal: AbortSignal): Promise<Slot> {
    try {
      return await this.#unanswered.take(signal);
    } catch (error) {
      throw signal.aborted ? aborted(signal) : error;
    }
  }

  /** Sends a request unless the circuit breaker refuses it. */
  async #guarded(request: Request): Promise<Response> {
    this.#breaker.enter();
    try {
      const response = await this.#fetch(request);
      // A 500 concerns this request, for instance a failing webhook; higher codes concern the server.
      const { status } = response;
      if (status > 500) this.#breaker.failed(`it answered ${status}`);
      else this.#breaker.succeeded();
      return response;
    } catch (error) {
      if (isMpcError(error, "UNAVAILABLE")) this.#breaker.failed(error.metadata["detail"] ?? "");
      else this.#breaker.undecided();
      throw error;
    }
  }

  /** Whether a denial may only mean that the API server has not loaded its roles yet. */
  #isStarting({ status }: Response): boolean {
    return (status === 401 || status === 403) && this.#breaker.hasRecoveredWithin(STARTING_MS);
  }

  async #fetch(request: Request): Promise<Response> {
    const endpoint = await this.#open();
    const { method, path, body, contentType, accept = "application/json", signal } = request;
    const answered = new AbortController();
    const late = new AbortController();
    const began = this.#clock.monotonic();
    const timer = sleepUnlessAborted(
      this.#clock,
      this.limits.requestTimeoutMs,
      AbortSignal.any([signal, answered.signal]),
    ).then((slept) => slept && late.abort());
    try {
      return await fetch(`${endpoint.server}${path}`, {
        method,
        client: endpoint.http,
        signal: AbortSignal.any([signal, late.signal]),
        headers: {
          accept,
          ...(contentType && { "content-type": contentType }),
          ...await endpoint.headers(),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const waitedMs = this.#clock.monotonic() - began;
      throw this.#failure(request, { waitedMs, isLate: late.signal.aborted, error });
    } finally {
      answered.abort();
      await timer;
    }
  }

  /** The endpoint. A failure is not kept, so that a repaired kubeconfig is read again. */
  #open(): Promise<Endpoint> {
    this.#endpoint ??= openEndpoint(this.#access, this.#clock.now()).catch((error) => {
      this.#endpoint = undefined;
      throw error;
    });
    return this.#endpoint;
  }

  /** Makes the next request read the kubeconfig again. @returns false if that was done too recently */
  #discardEndpoint(): boolean {
    const now = this.#clock.monotonic();
    if (!this.#endpoint || now - this.#discardedAt < RENEW_AFTER_MS) return false;
    this.#discardedAt = now;
    this.#outdated.push(this.#endpoint);
    this.#endpoint = undefined;
    if (this.#outdated.length > MAX_OUTDATED) void closeAll(this.#outdated.splice(0, 1));
    return true;
  }

  #failure(
    request: Request,
    { waitedMs, isLate, error }: {
      readonly waitedMs: number;
      readonly isLate: boolean;
      readonly error: unknown;
    },
  ): unknown {
    // An aborted `fetch` fails with the reason of its signal.
    if (isMpcError(error) && error !== request.signal.reason) return error;
    // Where the time of its caller is up, the server is what has used it.
    const isUnanswered = isLate ||
      (waitedMs >= UNANSWERED_MS && isMpcError(request.signal.reason, "DEADLINE_EXCEEDED"));
    if (request.signal.aborted && !isUnanswered) return aborted(request.signal);
    const { action, cluster } = request.asked;
    if (error instanceof Deno.errors.NotCapable) {
      return new MpcError("FAILED_PRECONDITION", {
        reason: "CLUSTER_NOT_PERMITTED",
        message:
          `Cannot ${action}: this process may not reach cluster '${cluster}' (${error.message}); start it by 'deno task dev:cluster'`,
        cause: error,
      });
    }
    const { detail, isUnsent, isUntrusted } = isUnanswered
      ? {
        detail: `no answer within ${
          isLate ? this.limits.requestTimeoutMs : Math.floor(waitedMs)
        } ms`,
        isUnsent: false,
        isUntrusted: false,
      }
      : readFetchFailure(error);
    return errorFor(isUntrusted ? "CLUSTER_NOT_TRUSTED" : "CLUSTER_UNREACHABLE", {
      message: isUntrusted
        ? `Cannot ${action}: the certificate of cluster '${cluster}' does not match the kubeconfig (${detail})`
        : `Cannot ${action}: cluster '${cluster}' cannot be reached (${detail})`,
      metadata: { cluster, detail, ...(isUnsent && { sent: "no" }) },
      cause: error,
    });
  }

  async #status(request: Request, response: Response): Promise<KubeStatus> {
    const text = await this.#text(request, response);
    try {
      const told = JSON.parse(text);
      return { ...told, code: response.status };
    } catch {
      return { code: response.status, message: text.slice(0, 500) };
    }
  }

  /** The whole response as text; the timeout applies to each part. */
  async #text({ signal, asked }: Request, { body }: Response): Promise<string> {
    if (!body) return "";
    const options = { signal, asked, clock: this.#clock, idleMs: this.limits.requestTimeoutMs };
    const parts: string[] = [];
    for await (const part of streamText(body, options)) parts.push(part);
    return parts.join("");
  }
}

/** Skips endpoints that failed to open. */
async function closeAll(endpoints: readonly Promise<Endpoint>[]): Promise<void> {
  for (const endpoint of await Promise.allSettled(endpoints)) {
    if (endpoint.status === "fulfilled") endpoint.value.close();
  }
}

/** The delay before a retry, if the server asks for one. */
function retryAfterMs(response: Response, status: KubeStatus): number | undefined {
  if (response.status !== 429 && response.status < 500) return undefined;
  const header = response.headers.get("retry-after");
  const seconds = header !== null && header !== ""
    ? Number(header)
    : status.details?.retryAfterSeconds;
  if (seconds === undefined) return response.status === 429 ? 1_000 : undefined;
  return Number.isFinite(seconds) && seconds * 1_000 <= LONGEST_PAUSE_MS
    ? Math.max(100, seconds * 1_000)
    : undefined;
}
