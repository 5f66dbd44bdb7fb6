import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

const LOOPBACK = "127.0.0.1";

/** How long the last bytes of a connection may take to reach its client. */
const FLUSH_MS = 5_000;

/**
 * Gives decrypted connections to Deno's HTTP server, which serves TCP connections alone: each is
 * copied to and from a connection of this process to itself.
 */
export class LoopbackBridge {
  readonly #listener = Deno.listen({ hostname: LOOPBACK, port: 0, tcpBacklog: 1_024 });
  /** Connections that wait to be accepted, by their local port. */
  readonly #expected = new Map<number, (tcp: Deno.TcpConn) => void>();
  /** Accepted connections that are not expected yet; they may be another process's. */
  readonly #early = new Map<number, Deno.TcpConn>();
  #connecting = 0;

  constructor() {
    void this.#accept();
  }

  /** @throws {Error} if no connection can be made, for instance without a free descriptor */
  async open(secure: Duplex): Promise<Deno.TcpConn> {
    this.#connecting++;
    let inner: Socket | undefined;
    try {
      inner = await connected(this.#listener.addr.port);
      const tcp = await this.#accepted(inner);
      join(secure, inner);
      return tcp;
    } catch (error) {
      inner?.destroy();
      throw error;
    } finally {
      this.#connecting--;
      if (this.#connecting === 0) this.#closeEarly();
    }
  }

  close(): void {
    this.#listener.close();
    this.#closeEarly();
  }

  #accepted(inner: Socket): Promise<Deno.TcpConn> {
    const port = inner.localPort ?? 0;
    const early = this.#early.get(port);
    this.#early.delete(port);
    if (early) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      this.#expected.set(port, resolve);
      inner.once("close", () => {
        this.#expected.delete(port);
        reject(new Error("the connection to this process was closed"));
      });
    });
  }

  async #accept(): Promise<void> {
    for await (const tcp of this.#listener) {
      const { hostname, port } = tcp.remoteAddr;
      const expected = hostname === LOOPBACK ? this.#expected.get(port) : undefined;
      this.#expected.delete(port);
      if (expected) expected(tcp);
      else if (hostname === LOOPBACK && this.#early.size < this.#connecting) {
        this.#early.set(port, tcp);
      } else tcp.close();
    }
  }

  #closeEarly(): void {
    for (const tcp of this.#early.values()) tcp.close();
    this.#early.clear();
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: LOOPBACK, port, noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** Copies both ways. Each side ends when the other has, with what has been written to it. */
function join(secure: Duplex, inner: Socket): void {
  secure.on("error", () => inner.destroy());
  secure.once("close", () => inner.destroy());
  inner.on("error", () => secure.destroy());
  inner.once("close", () => {
    secure.end();
    const timer = setTimeout(() => secure.destroy(), FLUSH_MS);
    secure.once("finish", () => secure.destroy());
    secure.once("close", () => clearTimeout(timer));
    if (secure.destroyed) clearTimeout(timer);
    else if (secure.writableFinished) secure.destroy();
  });
  secure.pipe(inner);
  inner.pipe(secure);
}
