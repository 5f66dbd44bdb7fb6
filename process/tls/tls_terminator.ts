import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { PeerCertificate } from "../calls/peer_certificate.ts";
import { systemClock } from "../system_clock.ts";
import type { Certificates } from "./certificates.ts";

const log = getLogger(["mpc", "tls"]);

/** The first byte of a TLS record with a handshake message. */
const HANDSHAKE = 0x16;

/** How long a client without TLS may take to read why it is refused. */
const LINGER_MS = 1_000;

/** An HTTP/2 GOAWAY with the error INADEQUATE_SECURITY, after empty SETTINGS. */
const GOAWAY = (() => {
  const debug = Buffer.from("this port serves TLS only");
  const head = [0, 0, 8 + debug.length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc];
  return Buffer.concat([Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), Buffer.from(head), debug]);
})();

const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n" +
  "connection: close\r\n\r\nThis port serves TLS only: call it by https.\n";

/** A connection whose TLS handshake is complete. */
export interface SecureConnection {
  readonly socket: TLSSocket;
  /** Null if the client has presented no certificate. */
  readonly certificate: PeerCertificate | null;
}

/** Performs the server's side of TLS handshakes, each with the certificates of its moment. */
export class TlsTerminator {
  readonly #certificates: () => Certificates;
  readonly #protocols: readonly string[];
  /** Sockets whose handshake is not complete. */
  readonly #pending = new Set<Socket>();

  /** @param protocols of the application, for ALPN, the preferred one first */
  constructor(certificates: () => Certificates, protocols: readonly string[]) {
    this.#certificates = certificates;
    this.#protocols = protocols;
  }

  /**
   * Performs a handshake. A client that does not speak TLS is told so.
   * @param socket of which nothing has been read
   * @returns undefined if it fails or takes too long; then the socket is closed
   */
  async handshake(socket: Socket, timeoutMs: number): Promise<SecureConnection | undefined> {
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    this.#pending.add(socket);
    const closed = new Promise<undefined>((resolve) => {
      if (socket.destroyed) resolve(undefined);
      socket.once("close", () => resolve(undefined));
    });
    const failed = (error: Error) => log.debug("TLS handshake failed: {error}", { error });
    socket.on("error", failed);
    try {
      const first = await Promise.race([firstChunk(socket), closed]);
      if (first === undefined) return undefined;
      if (first[0] !== HANDSHAKE) {
        refusePlain(socket, first);
        return undefined;
      }
      socket.unshift(first);
      return await Promise.race([this.#secure(socket), closed]);
    } catch (error) {
      log.debug("TLS handshake failed: {error}", { error });
      socket.destroy();
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(socket);
    }
  }

  /** Ends handshakes that are not complete. */
  close(): void {
    for (const socket of this.#pending) socket.destroy();
  }

  #secure(raw: Socket): Promise<SecureConnection> {
    const { cert, key, clients } = this.#certificates();
    return new Promise((resolve, reject) => {
      // A server for each handshake, because a shared one does not tell which socket is whose.
      const server = createServer({
        cert,
        key,
        minVersion: "TLSv1.2",
        ALPNProtocols: [...this.#protocols],
        // Whether a client without a certificate may call is decided for each call.
        ...(clients && { ca: clients.ca, requestCert: true, rejectUnauthorized: false }),
      }, (socket) => {
        try {
          resolve({ socket, certificate: clients?.verify(socket, systemClock.now()) ?? null });
        } catch (error) {
          socket.destroy();
          reject(error);
        }
      });
      server.on("tlsClientError", (error: Error) => reject(error));
      server.emit("connection", raw);
    });
  }
}

function firstChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      resolve(chunk);
    });
    socket.resume();
  });
}

/** Tells a client without TLS what this port serves, in HTTP/2 or HTTP/1.1 as it speaks. */
function refusePlain(socket: Socket, first: Buffer): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  // What it still sends is dropped: unread bytes would turn the end into a reset.
  socket.resume();
  socket.end(first.subarray(0, 3).toString("latin1") === "PRI" ? GOAWAY : BAD_REQUEST);
}
