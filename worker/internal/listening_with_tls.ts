import { getLogger } from "@logtape/logtape";
import {
  type Address,
  type Arrival,
  type Certificates,
  type HttpConnection,
  httpServer,
  serveHttp,
  tlsListener,
  type WebListener,
} from "@mpc/process";
import type { Listening } from "../listening.ts";

const log = getLogger(["mpc", "internal"]);

/** How long a client may take for its TLS handshake. */
const HANDSHAKE_MS = 10_000;

/** More connections than all processes of an API need. */
const MAX_CONNECTIONS = 500;

/** How long running calls may take to end. */
const GRACE_MS = 5_000;

/** The pause after a failure to accept a connection. */
const ACCEPT_PAUSE_MS = 50;

type Answer = (request: Request) => Promise<Response>;

/**
 * Answers requests by TLS, from clients whose certificate the authority of `certificates` has issued.
 * Connections of others are closed.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export async function listeningWithTls(
  { host, port }: Address,
  certificates: () => Certificates,
  answer: Answer,
): Promise<Listening> {
  const listener = await tlsListener({ host, port }, certificates);
  const server = new TlsServer(listener, answer);
  return { address: { host, port: listener.port }, close: () => server.close() };
}

class TlsServer {
  readonly #listener: WebListener;
  readonly #answer: Answer;
  readonly #serve = httpServer();
  readonly #connections = new Set<HttpConnection>();
  readonly #opening = new Set<Promise<void>>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #accepting: Promise<void>;
  #closing = false;

  constructor(listener: WebListener, answer: Answer) {
    this.#listener = listener;
    this.#answer = answer;
    this.#accepting = this.#accept();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#opening);
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, GRACE_MS);
    await Promise.race([Promise.allSettled(this.#running), grace.promise]);
    clearTimeout(timer);
    const connections = [...this.#connections];
    for (const connection of connections) connection.cut();
    await Promise.allSettled(connections.map(({ finished }) => finished));
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      try {
        const arrival = await this.#listener.accept();
        if (this.#connections.size + this.#opening.size >= MAX_CONNECTIONS) arrival.refuse();
        else this.#open(arrival);
      } catch (error) {
        if (this.#closing) return;
        log.warn("Cannot accept a connection: {error}", { error });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }

  #open(arrival: Arrival): void {
    const opening = this.#handshake(arrival).finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
  }

  async #handshake(arrival: Arrival): Promise<void> {
    try {
      const transport = await arrival.open(HANDSHAKE_MS);
      if (!transport) return;
      if (transport.certificate === null) {
        log.warn("A client without a certificate is refused: {address}", {
          address: arrival.address,
        });
        transport.tcp.close();
        return;
      }
      const connection = serveHttp(this.#serve, transport.tcp, (request) => {
        const response = this.#answer(request);
        this.#running.add(response);
        const over = () => this.#running.delete(response);
        response.then(over, over);
        return response;
      }, failed);
      this.#connections.add(connection);
      connection.finished.catch(ended).finally(() => this.#connections.delete(connection));
    } catch (error) {
      log.warn("Cannot serve a connection: {error}", { error });
    }
  }
}

/** Errors that Deno itself would print, bypassing the logger. */
function failed(error: unknown): Response {
  log.debug("An answer could not be sent: {error}", { error });
  return new Response(null, { status: 500 });
}

function ended(error: unknown): void {
  log.debug("A connection ended: {error}", { error });
}
