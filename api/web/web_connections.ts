import { getLogger } from "@logtape/logtape";
import {
  type Arrival,
  type HttpConnection,
  type HttpHandler,
  httpServer,
  type HttpTransport,
  serveHttp,
  type WebListener,
} from "@mpc/process";
import type { Peer, Peers } from "../connections/peers.ts";
import { RefusedConnections } from "../connections/refused_connections.ts";
import { within } from "../connections/within.ts";
import { type Client, RunningCall, takeCall, type WebCall } from "./web_call.ts";

const log = getLogger(["mpc", "web"]);

export interface ConnectionLimits {
  /** How long a new connection may take for its TLS handshake, and then for its first headers. */
  readonly handshakeTimeoutMs: number;
  /** How long a connection may be without a request; incomplete headers count as none. */
  readonly idleTimeoutMs: number;
  /** How long a request's body may take to arrive. */
  readonly bodyTimeoutMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 120_000,
  bodyTimeoutMs: 20_000,
};

/** The interval of checking deadlines. */
const SWEEP_MS = 500;

/** File descriptors that are kept free for other uses after the process has run out of them. */
const SPARE_DESCRIPTORS = 24;

/** The pause after a failure to accept a connection. */
const ACCEPT_PAUSE_MS = 50;

/** A new connection may bring hundreds of requests, so it counts as this many calls of a turn. */
const CONNECTION_WORK = 16;

/** After this many refused calls in a row, a connection is cut. */
const MAX_REFUSED = 4;

/** How long a response's bytes may take to reach the kernel. */
const FLUSH_MS = 25;

type Handle = (request: Request, call: WebCall) => Response | Promise<Response>;

/** The responses to requests that do not become calls. */
export interface Answers {
  /** The peer already has its share of calls. */
  busy(): Response;
  /** The server is shutting down. */
  closing(): Response;
}

interface Connection {
  readonly http: HttpConnection;
  readonly peer: Peer;
  readonly usage: Usage;
}

/** The activity of a connection. */
interface Usage {
  running: number;
  /** When it was last active, by the monotonic clock. */
  lastUsed: number;
  /** How long it may now be without a running call. */
  idleLimitMs: number;
  /** Calls refused since the last accepted one. */
  refused: number;
}

/**
 * Accepts connections and serves HTTP on them, within limits: excess connections of one peer are
 * refused, idle ones are closed, and when file descriptors run out the most idle ones are closed.
 */
export class WebConnections {
  readonly #listener: WebListener;
  readonly #peers: Peers;
  readonly #limits: ConnectionLimits;
  readonly #handle: Handle;
  readonly #answers: Answers;
  readonly #onSweep: () => void;
  readonly #serve = httpServer();
  readonly #connections = new Set<Connection>();
  readonly #opening = new Set<Promise<void>>();
  readonly #sweeping: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;
  readonly #refused = new RefusedConnections(log);
  #closing = false;
  #capacity = Infinity;
  #onAnswered: (() => void) | undefined;

  constructor(options: {
    readonly listener: WebListener;
    readonly peers: Peers;
    readonly limits: ConnectionLimits;
    readonly handle: Handle;
    readonly answers: Answers;
    /** Called a few times a second. */
    readonly onSweep: () => void;
  }) {
    this.#listener = options.listener;
    this.#peers = options.peers;
    this.#limits = options.limits;
    this.#handle = options.handle;
    this.#answers = options.answers;
    this.#onSweep = options.onSweep;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#accepting = this.#accept();
  }

  /** Stops accepting, lets running calls finish for `graceMs`, then cuts the remaining ones. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#opening);
    const answered = new Promise<void>((resolve) => this.#onAnswered = resolve);
    this.#reportAnswered();
    await within(graceMs, answered);
    const now = performance.now();
    const unsent = [...this.#connections].some(({ usage }) => now - usage.lastUsed < FLUSH_MS);
    if (unsent) await within(FLUSH_MS, new Promise(() => {}));
    const connections = [...this.#connections];
    for (const { http } of connections) http.cut();
    await Promise.allSettled(connections.map(({ http }) => http.finished));
    clearInterval(this.#sweeping);
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      let arrival: Arrival;
      try {
        arrival = await this.#listener.accept();
      } catch (error) {
        if (this.#closing) return;
        this.#makeRoom(error);
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
        continue;
      }
      this.#open(arrival);
    }
  }

  #makeRoom(error: unknown): void {
    const count = this.#connections.size;
    log.warn("Cannot accept a connection: {error}; {count} are open", { error, count });
    if (count === 0) return;
    this.#capacity = Math.max(1, count - SPARE_DESCRIPTORS);
    this.#evict(count - this.#capacity);
  }

  #open(arrival: Arrival): void {
    const peer = this.#peers.connect(arrival.address);
    if (!peer) {
      this.#refused.add(arrival.address);
      arrival.refuse();
    } else if (peer.turns.start(CONNECTION_WORK)) this.#begin(arrival, peer);
    else {
      peer.turns.wait(() => {
        peer.turns.start(CONNECTION_WORK);
        this.#begin(arrival, peer);
      });
    }
  }

  #begin(arrival: Arrival, peer: Peer): void {
    if (this.#closing) {
      arrival.refuse();
      this.#peers.disconnect(peer);
      return;
    }
    const opening = this.#handshake(arrival, peer).finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
  }

  async #handshake(arrival: Arrival, peer: Peer): Promise<void> {
    let transport: HttpTransport | undefined;
    try {
      transport = await arrival.open(this.#limits.handshakeTimeoutMs);
    } catch (error) {
      this.#makeRoom(error);
    }
    if (transport) this.#serveOn(transport, arrival.address, peer);
    else this.#peers.disconnect(peer);
  }

  #serveOn({ tcp, certificate }: HttpTransport, source: string, peer: Peer): void {
    const usage: Usage = {
      running: 0,
      lastUsed: performance.now(),
      idleLimitMs: this.#limits.handshakeTimeoutMs,
      refused: 0,
    };
    try {
      tcp.setNoDelay(true);
      tcp.setKeepAlive(true);
      const client = { peer, source, certificate };
      const handler = this.#handler(client, usage, () => http.cut());
      const http = serveHttp(this.#serve, tcp, handler, failed);
      const connection: Connection = { http, peer, usage };
      if (this.#connections.size >= this.#capacity) this.#evict(1);
      this.#connections.add(connection);
      http.finished.catch((error) => ended(peer, error)).finally(() => {
        this.#connections.delete(connection);
        this.#peers.disconnect(peer);
      });
    } catch (error) {
      // The peer has closed it already.
      ended(peer, error);
      this.#peers.disconnect(peer);
    }
  }

  #handler(client: Client, usage: Usage, cut: () => void): HttpHandler {
    const { peer } = client;
    return (request, info) => {
      usage.idleLimitMs = this.#limits.idleTimeoutMs;
      if (this.#closing) return this.#answers.closing();
      if (usage.refused >= MAX_REFUSED || !takeCall(peer)) {
        if (++usage.refused < MAX_REFUSED) return this.#answers.busy();
        // No response any more: thousands of them would delay others (measured).
        cut();
        return new Promise(() => {});
      }
      usage.refused = 0;
      usage.running++;
      const call = new RunningCall(client, info, cut, (close) => {
        usage.running--;
        if (close) usage.idleLimitMs = FLUSH_MS;
        usage.lastUsed = performance.now();
        if (this.#closing) this.#reportAnswered();
      });
      const response = peer.turns.start()
        ? this.#handle(request, call)
        : nextTurn(peer).then(() => this.#handle(request, call));
      if (response instanceof Response) {
        call.answered(this.#closing);
        return response;
      }
      return response.then((response) => {
        call.answered(this.#closing);
        return response;
      }, (error) => {
        call.answered(this.#closing);
        throw error;
      });
    };
  }

  #reportAnswered(): void {
    if ([...this.#connections].every(({ usage }) => usage.running === 0)) this.#onAnswered?.();
  }

  #sweep(): void {
    const now = performance.now();
    for (const { usage, http } of this.#connections) {
      if (usage.running === 0 && now - usage.lastUsed > usage.idleLimitMs) http.cut();
    }
    this.#onSweep();
  }

  /** Cuts connections: idle ones first, then of the peer with the most, the most idle first. */
  #evict(count: number): void {
    const order = [...this.#connections].sort((a, b) =>
      Number(a.usage.running > 0) - Number(b.usage.running > 0) ||
      b.peer.connections.held - a.peer.connections.held ||
      a.usage.lastUsed - b.usage.lastUsed
    );
    for (const { http } of order.slice(0, count)) http.cut();
  }
}

/** Waits until the peer may start another call. */
function nextTurn({ turns }: Peer): Promise<void> {
  return new Promise((resolve) => {
    turns.wait(() => {
      turns.start();
      resolve();
    });
  });
}

/** Errors that Deno itself would print, bypassing the logger. */
function failed(error: unknown): Response {
  log.debug("An answer could not be sent: {error}", { error });
  return new Response(null, { status: 500 });
}

function ended({ address }: Peer, error: unknown): void {
  log.debug("Connection of {address} ended: {error}", { address, error });
}
