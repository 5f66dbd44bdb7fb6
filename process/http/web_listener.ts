import type { Address } from "../address.ts";
import type { PeerCertificate } from "../calls/peer_certificate.ts";
import { listenError } from "../listen.ts";

/** A connection on which HTTP can be served. */
export interface HttpTransport {
  readonly tcp: Deno.TcpConn;
  /** The verified certificate of the client; null if it has presented none. */
  readonly certificate: PeerCertificate | null;
}

/** An accepted connection. */
export interface Arrival {
  /** The IP address of the client. */
  readonly address: string;
  /** @returns undefined if the client does not finish its handshake; then the connection is closed */
  open(timeoutMs: number): Promise<HttpTransport | undefined>;
  /** Closes a connection that is not opened. */
  refuse(): void;
}

/** Accepts connections for an HTTP server. */
export interface WebListener {
  readonly port: number;
  accept(): Promise<Arrival>;
  /** Rejects a waiting `accept`, and ends handshakes that are not complete. */
  close(): void;
}

/**
 * Listens without TLS.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function plainListener(address: Address): WebListener {
  const listener = listenTcp(address);
  return {
    port: listener.addr.port,
    async accept() {
      const tcp = await listener.accept();
      return {
        address: tcp.remoteAddr.hostname,
        open: () => Promise.resolve({ tcp, certificate: null }),
        refuse: () => tcp.close(),
      };
    },
    close: () => listener.close(),
  };
}

function listenTcp(address: Address): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.host, port: address.port, tcpBacklog: 1_024 });
  } catch (error) {
    throw listenError(error, address);
  }
}
