import { createServer, type Server, type Socket } from "node:net";
import type { Address } from "../address.ts";
import { listen } from "../listen.ts";
import type { Certificates } from "../tls/certificates.ts";
import { TlsTerminator } from "../tls/tls_terminator.ts";
import { LoopbackBridge } from "./loopback_bridge.ts";
import type { Arrival, WebListener } from "./web_listener.ts";

/** Accepts connections with TLS. */
class TlsListener implements WebListener {
  readonly port: number;
  readonly #server: Server;
  readonly #terminator: TlsTerminator;
  readonly #bridge = new LoopbackBridge();
  /** Sockets that wait for `accept`. */
  readonly #waiting: Socket[] = [];
  #accepting: PromiseWithResolvers<Socket> | undefined;

  constructor(server: Server, port: number, certificates: () => Certificates) {
    this.#server = server;
    this.port = port;
    this.#terminator = new TlsTerminator(certificates, ["h2", "http/1.1"]);
    server.on("connection", (socket: Socket) => {
      if (this.#accepting) this.#accepting.resolve(socket);
      else this.#waiting.push(socket);
      this.#accepting = undefined;
    });
  }

  async accept(): Promise<Arrival> {
    const socket = this.#waiting.shift() ??
      await (this.#accepting = Promise.withResolvers<Socket>()).promise;
    return {
      address: socket.remoteAddress ?? "",
      open: (timeoutMs) => this.#open(socket, timeoutMs),
      refuse: () => socket.destroy(),
    };
  }

  close(): void {
    this.#server.close();
    this.#terminator.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#bridge.close();
    this.#accepting?.reject(new Error("the listener is closed"));
  }

  async #open(socket: Socket, timeoutMs: number): ReturnType<Arrival["open"]> {
    socket.setKeepAlive(true);
    const secure = await this.#terminator.handshake(socket, timeoutMs);
    if (!secure) return undefined;
    try {
      return { tcp: await this.#bridge.open(secure.socket), certificate: secure.certificate };
    } catch (error) {
      secure.socket.destroy();
      throw error;
    }
  }
}

/**
 * Listens with TLS.
 * @param certificates of each new connection
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export async function tlsListener(
  address: Address,
  certificates: () => Certificates,
): Promise<WebListener> {
  const server = createServer({ noDelay: true });
  const { port } = await listen(server, address);
  return new TlsListener(server, port, certificates);
}
