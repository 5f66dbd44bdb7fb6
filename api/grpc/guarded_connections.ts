import type {
  Http2Server,
  Http2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { getLogger } from "@logtape/logtape";
import type { PeerCertificate, TlsTerminator } from "@mpc/process";
import type { Peer, PeerLimits, Peers } from "../connections/peers.ts";
import { RefusedConnections } from "../connections/refused_connections.ts";
import { within } from "../connections/within.ts";
import type { FrameLimits, GuardedCalls } from "./connection_state.ts";
import { FrameGuard } from "./frame_guard.ts";
import { type Backlog, GuardedSocket } from "./guarded_socket.ts";
import { ConnectionError, ERROR_CODE } from "./http2_frames.ts";

const log = getLogger(["mpc", "grpc"]);

/** The interval of checking deadlines and the bytes of unread responses. */
const SWEEP_MS = 1_000;
/** How long the last bytes to a peer may take. */
const FLUSH_MS = 1_000;
/** How many calls a new connection counts for. */
const CONNECTION_WORK = 8;

/** The headers of the whole response to a request; undefined if the request is a call. */
type Refusal = (headers: IncomingHttpHeaders) => OutgoingHttpHeaders | undefined;

export interface ConnectionLimits extends FrameLimits, PeerLimits {
  /** How long a connection may take for its TLS handshake, and then to send its preface. */
  readonly handshakeTimeoutMs: number;
  /** How long a client may take to read what was written to it. */
  readonly writeTimeoutMs: number;
}

/**
 * The connections of the gRPC door. Each has a frame guard, and all share the limits of peers.
 * Calls are passed to the server in such a way that an exception affects only its own call.
 */
export class GuardedConnections {
  readonly #server: Http2Server;
  readonly #refusal: Refusal;
  readonly #limits: ConnectionLimits;
  readonly #peers: Peers;
  readonly #connections = new Set<GuardedConnection>();
  readonly #bySession = new WeakMap<object, GuardedConnection>();
  readonly #refused = new RefusedConnections(log);
  readonly #tls: TlsTerminator | undefined;
  #accepting: GuardedConnection | undefined;
  #calling: GuardedConnection | undefined;
  #sweep: ReturnType<typeof setInterval> | undefined;

  /**
   * @param server the HTTP/2 server whose calls are guarded; its listeners must already be set
   * @param peers all connected peers, at this door and the other
   * @param refusal answers requests that are not calls
   * @param tls without it, connections have no TLS
   */
  constructor(
    server: Http2Server,
    limits: ConnectionLimits,
    peers: Peers,
    refusal: Refusal,
    tls?: TlsTerminator,
  ) {
    this.#server = server;
    this.#refusal = refusal;
    this.#limits = limits;
    this.#peers = peers;
    this.#tls = tls;
    server.on("session", (session) => this.#onSession(session));
    this.#guardCalls();
  }

  /** The certificate of the client whose call is being passed to the server's listeners. */
  get calling(): PeerCertificate | null {
    return this.#calling?.certificate ?? null;
  }

  accept(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const peer = this.#peers.connect(address);
    if (!peer) {
      this.#refused.add(address);
      socket.destroy();
      return;
    }
    // Reading starts when the connection begins.
    socket.pause();
    this.#begin(socket, peer);
  }

  /** Begins a connection in its peer's turn. */
  #begin(socket: Socket, peer: Peer): void {
    if (socket.destroyed) {
      this.#peers.disconnect(peer);
      return;
    }
    if (!peer.turns.start(CONNECTION_WORK)) {
      peer.turns.wait(() => this.#begin(socket, peer));
      return;
    }
    if (this.#tls) void this.#secure(this.#tls, socket, peer);
    else this.#serve(socket, peer, null);
  }

  async #secure(tls: TlsTerminator, raw: Socket, peer: Peer): Promise<void> {
    const secure = await tls.handshake(raw, this.#limits.handshakeTimeoutMs);
    if (!secure || secure.socket.destroyed) this.#peers.disconnect(peer);
    else this.#serve(secure.socket, peer, secure.certificate);
  }

  #serve(socket: Socket, peer: Peer, certificate: PeerCertificate | null): void {
    const connection = new GuardedConnection(socket, peer, this.#limits, certificate);
    this.#connections.add(connection);
    this.#sweep ??= setInterval(() => this.#checkDeadlines(), SWEEP_MS);
    socket.on("close", () => {
      this.#connections.delete(connection);
      connection.close();
      this.#peers.disconnect(peer);
      if (this.#connections.size > 0) return;
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    });
    this.#accepting = connection;
    this.#server.emit("connection", connection.guarded);
    this.#accepting = undefined;
  }

  /** Flushes pending writes, and closes every connection. */
  async end(): Promise<void> {
    this.#tls?.close();
    const sockets = [...this.#connections].map(({ socket }) => socket);
    const ended = sockets.map((socket) => new Promise<void>((resolve) => socket.end(resolve)));
    await within(FLUSH_MS, Promise.all(ended));
    for (const socket of sockets) socket.destroy();
  }

  #onSession(session: ServerHttp2Session): void {
    const connection = this.#accepting;
    if (!connection) return;
    this.#bySession.set(session, connection);
    // The guard drops everything that would be a connection error, so this is a fault.
    session.on("error", (error) => {
      if (!connection.guarded.destroyed) {
        log.error("Connection ended by a fault of the HTTP/2 stack: {error}", { error });
      }
      connection.guarded.destroy();
    });
  }

  /** Puts the guard between the HTTP/2 server and the listeners that take its calls. */
  #guardCalls(): void {
    const listeners = this.#server.listeners("stream");
    this.#server.removeAllListeners("stream");
    this.#server.on(
      "stream",
      (stream: ServerHttp2Stream, ...rest) => {
        const connection = stream.session && this.#bySession.get(stream.session);
        // A call may have ended before this event; answering it would throw.
        if (stream.destroyed || stream.closed || !connection?.begin(stream)) return;
        try {
          const refusal = this.#refusal(rest[0]);
          if (refusal) {
            stream.respond(refusal, { endStream: true });
            return;
          }
          this.#calling = connection;
          for (const listener of listeners) listener.call(this.#server, stream, ...rest);
        } catch (error) {
          log.error("Call ended by a fault of the gRPC stack: {error}", { error });
          stream.destroy();
        } finally {
          this.#calling = undefined;
        }
      },
    );
  }

  #checkDeadlines(): void {
    for (const connection of this.#connections) connection.checkDeadlines();
  }
}

/** One connection: its socket, its guard, and its calls. */
class GuardedConnection implements GuardedCalls, Backlog {
  readonly socket: Socket;
  readonly guarded: GuardedSocket;
  /** The verified certificate of the client. */
  readonly certificate: PeerCertificate | null;
  readonly #peer: Peer;
  readonly #limits: ConnectionLimits;
  readonly #guard: FrameGuard;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #refused = new Map<number, number>();
  readonly #since = performance.now();
  /** Bytes of responses that wait in the process, at the last check. */
  #unreadBytes = 0;

  constructor(
    socket: Socket,
    peer: Peer,
    limits: ConnectionLimits,
    certificate: PeerCertificate | null,
  ) {
    this.socket = socket;
    this.certificate = certificate;
    this.#peer = peer;
    this.#limits = limits;
    this.#guard = new FrameGuard(limits, this);
    this.guarded = new GuardedSocket(socket, this.#guard, this);
    this.guarded.on(
      "error",
      (error) => log.debug("Connection of {peer} ended: {error}", { peer: peer.address, error }),
    );
  }

  start(): boolean {
    return this.#peer.turns.start();
  }

  hold(bytes: number): boolean {
    return this.#peer.bytes.take(bytes);
  }

  release(bytes: number): void {
    this.#peer.bytes.give(bytes);
  }

  nextTurn(callback: () => void): void {
    this.#peer.turns.wait(callback);
  }

  refuse(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream) stream.close(code);
    else this.#refused.set(id, code);
  }

  /** Begins a call. @returns false if it was refused or reset */
  begin(stream: Http2Stream): boolean {
    const id = stream.id ?? 0;
    // An error only ends the call, which grpc-js learns from 'close'.
    stream.on("error", (error) => log.debug("Call ended: {error}", { error }));
    // The client has reset it in the same read: a flood of resets must not cost a call each.
    if (this.#guard.isClosed(id)) {
      this.#refused.delete(id);
      return false;
    }
    const refused = this.#refused.get(id) ??
      (this.#peer.calls.take(1) ? undefined : ERROR_CODE.REFUSED_STREAM);
    if (refused !== undefined) {
      this.#refused.delete(id);
      stream.close(refused);
      return false;
    }
    this.#streams.set(id, stream);
    stream.on("close", () => {
      this.#streams.delete(id);
      this.#peer.calls.give(1);
    });
    return true;
  }

  /** Ends the connection if it takes too long, or exceeds its share of memory. */
  checkDeadlines(): void {
    const now = performance.now();
    if (!this.#guard.started && now - this.#since > this.#limits.handshakeTimeoutMs) {
      this.socket.destroy();
      return;
    }
    const { writingSince } = this.guarded;
    if (writingSince !== undefined && now - writingSince > this.#limits.writeTimeoutMs) {
      this.guarded.destroy(new Error("the client does not read what is written to it"));
      return;
    }
    try {
      this.#guard.checkDeadlines();
      this.#countUnread();
    } catch (error) {
      this.guarded.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #countUnread(): void {
    let bytes = this.guarded.writableLength + this.socket.writableLength;
    for (const stream of this.#streams.values()) bytes += stream.writableLength;
    this.#peer.bytes.give(this.#unreadBytes);
    this.#unreadBytes = 0;
    if (bytes === 0) return;
    if (!this.#peer.bytes.take(bytes)) {
      const message = "more answers wait to be read than the peer's share";
      throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, message);
    }
    this.#unreadBytes = bytes;
  }

  /** Gives back what was counted, when the connection has closed. */
  close(): void {
    this.#guard.close();
    this.#peer.bytes.give(this.#unreadBytes);
    this.#unreadBytes = 0;
    this.guarded.destroy();
  }
}
