import { isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { aborted, throwIfAborted } from "../../provider_errors.ts";
import { type BreakerOptions, CircuitBreaker } from "./circuit_breaker.ts";
import { type ClusterAccess, type Endpoint, openEndpoint } from "./credentials.ts";
import { textsOf } from "./lines.ts";
import { type Asked, type KubeStatus, statusError } from "./status_error.ts";
import { type RequestRate, TokenBucket } from "./token_bucket.ts";

/** How much a cluster is asked, and for how long. */
export interface ClientLimits {
  readonly rate: RequestRate;
  readonly breaker: BreakerOptions;
  /** Until an answer begins; and between two lines of one that is streamed. */
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** As generous as kubectl: servers have priority and fairness of their own. */
export const DEFAULT_LIMITS: ClientLimits = {
  rate: { perSecond: 100, burst: 300 },
  breaker: { failures: 5, openMs: 2_000 },
  requestTimeoutMs: 20_000,
  // Watches are told a bookmark about every minute.
  idleTimeoutMs: 90_000,
};

export interface Request {
  readonly method: "GET" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal: AbortSignal;
  readonly asked: Asked;
}

/** A busy server is asked so often; what waits for longer is the caller's to try again. */
const MAX_TRIES = 4;
const LONGEST_PAUSE_MS = 10_000;

/** Credentials that are refused are not had anew more often. */
const RENEW_AFTER_MS = 10_000;

/** A request takes no longer to begin than so many renewals. */
const MAX_OUTDATED = 3;

/** One cluster's requests: spaced, timed, tried again where the server asks for that. */
export class Requester {
  readonly cluster: string;
  readonly limits: ClientLimits;
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #breaker: CircuitBreaker;
  #endpoint: Promise<Endpoint> | undefined;
  /** What requests that are about to begin may still use; the oldest first. */
  readonly #outdated: Promise<Endpoint>[] = [];
  #forgottenAt = -Infinity;

  constructor(options: {
    readonly access: ClusterAccess;
    readonly clock: Clock;
    readonly limits: ClientLimits;
  }) {
    this.cluster = options.access.cluster;
    this.limits = options.limits;
    this.#access = options.access;
    this.#clock = options.clock;
    this.#bucket = new TokenBucket(options.limits.rate, options.clock);
    this.#breaker = new CircuitBreaker(this.cluster, options.limits.breaker, options.clock);
  }

  /** An answer as JSON; undefined for 404 where `missing` allows it. */
  async json(request: Request, missing: "undefined" | "throws" = "throws"): Promise<unknown> {
    for (let attempt = 1;; attempt++) {
      const response = await this.send(request);
      if (response.ok) return JSON.parse(await this.#text(request, response));
      const status = await this.#status(request, response);
      if (status.code === 404 && missing === "undefined" && status.details?.kind !== undefined) {
        return undefined;
      }
      const pauseMs = retryAfterMs(response, status);
      if (pauseMs === undefined || attempt >= MAX_TRIES) throw statusError(status, request.asked);
      await this.#clock.sleep(pauseMs, request.signal);
    }
  }

  /** An answer that is a stream; its end, and gaps in it, are the caller's. */
  async stream(request: Request): Promise<ReadableStream<Uint8Array>> {
    const response = await this.send(request);
    if (response.ok && response.body) return response.body;
    throw statusError(await this.#status(request, response), request.asked);
  }

  /** One request, as the server answers it; once more where credentials may have been renewed. */
  async send(request: Request): Promise<Response> {
    const used = this.#endpoint;
    const response = await this.#sendOnce(request);
    if (response.status !== 401) return response;
    const wasRenewed = used !== undefined && used !== this.#endpoint;
    if (!wasRenewed && !this.#forgetEndpoint()) return response;
    await response.body?.cancel();
    return await this.#sendOnce(request);
  }

  async close(): Promise<void> {
    await closeAll([...this.#outdated, ...(this.#endpoint ? [this.#endpoint] : [])]);
  }

  async #sendOnce(request: Request): Promise<Response> {
    throwIfAborted(request.signal);
    await this.#bucket.take(request.signal);
    this.#breaker.enter();
    try {
      const response = await this.#fetch(request);
      // A 500 is about this request, for instance a webhook; the others are about the server.
      const { status } = response;
      if (status > 500) this.#breaker.failed(new Error(`it answered ${status}`));
      else this.#breaker.succeeded();
      return response;
    } catch (error) {
      if (isMpcError(error, "UNAVAILABLE")) this.#breaker.failed(error);
      else this.#breaker.undecided();
      throw error;
    }
  }

  async #fetch(request: Request): Promise<Response> {
    const endpoint = await this.#open();
    const { method, path, body, contentType, signal } = request;
    const answered = new AbortController();
    const late = new AbortController();
    const timer = this.#clock.sleep(
      this.limits.requestTimeoutMs,
      AbortSignal.any([signal, answered.signal]),
    ).then(() => late.abort(), () => {});
    try {
      return await fetch(`${endpoint.server}${path}`, {
        method,
        client: endpoint.http,
        signal: AbortSignal.any([signal, late.signal]),
        headers: {
          accept: "application/json",
          ...(contentType && { "content-type": contentType }),
          ...await endpoint.headers(),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw this.#failure(request, late.signal.aborted, error);
    } finally {
      answered.abort();
      await timer;
    }
  }

  /** The endpoint, asked for anew where it could not be had: a kubeconfig may be mended. */
  #open(): Promise<Endpoint> {
    this.#endpoint ??= openEndpoint(this.#access, this.#clock.now()).catch((error) => {
      this.#endpoint = undefined;
      throw error;
    });
    return this.#endpoint;
  }

  /** Lets the kubeconfig be read anew, though not all the time. @returns whether it will be */
  #forgetEndpoint(): boolean {
    const now = this.#clock.now();
    if (!this.#endpoint || now - this.#forgottenAt < RENEW_AFTER_MS) return false;
    this.#forgottenAt = now;
    this.#outdated.push(this.#endpoint);
    this.#endpoint = undefined;
    if (this.#outdated.length > MAX_OUTDATED) void closeAll(this.#outdated.splice(0, 1));
    return true;
  }

  #failure(request: Request, late: boolean, error: unknown): unknown {
    if (isMpcError(error)) return error;
    if (request.signal.aborted) return aborted(request.signal);
    const { action, cluster } = request.asked;
    if (error instanceof Deno.errors.NotCapable) {
      return new MpcError("FAILED_PRECONDITION", {
        reason: "CLUSTER_NOT_PERMITTED",
        message:
          `Cannot ${action}: this process may not reach cluster '${cluster}' (${error.message}); start it by 'deno task dev:cluster'`,
        cause: error,
      });
    }
    const detail = late ? `no answer within ${this.limits.requestTimeoutMs} ms` : rootOf(error);
    const untrusted = /certificate/i.test(detail);
    return new MpcError(untrusted ? "FAILED_PRECONDITION" : "UNAVAILABLE", {
      reason: untrusted ? "CLUSTER_NOT_TRUSTED" : "CLUSTER_UNREACHABLE",
      message: untrusted
        ? `Cannot ${action}: the certificate of cluster '${cluster}' is not what the kubeconfig says (${detail})`
        : `Cannot ${action}: cluster '${cluster}' cannot be reached (${detail})`,
      metadata: { cluster },
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

  /** The whole answer as text; for as long as something comes. */
  async #text({ signal, asked }: Request, { body }: Response): Promise<string> {
    if (!body) return "";
    const options = { signal, asked, clock: this.#clock, idleMs: this.limits.requestTimeoutMs };
    const parts: string[] = [];
    for await (const part of textsOf(body, options)) parts.push(part);
    return parts.join("");
  }
}

/** Those that could not be opened have nothing to close. */
async function closeAll(endpoints: readonly Promise<Endpoint>[]): Promise<void> {
  for (const endpoint of await Promise.allSettled(endpoints)) {
    if (endpoint.status === "fulfilled") endpoint.value.close();
  }
}

/** When to come again, where the server says so. */
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

/** The innermost message: fetch wraps what happened several times. */
function rootOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}
