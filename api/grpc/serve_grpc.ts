import { constants } from "node:http2";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { getLogger } from "@logtape/logtape";
import { type Address, listen } from "@mpc/process";
import type { Route } from "../route.ts";
import { explainRefusals } from "./explain_refusals.ts";
import { DEFAULT_FRAME_LIMITS, FrameGuard, type FrameLimits } from "./frame_guard.ts";
import { GuardedSocket } from "./guarded_socket.ts";
import { RunningCalls } from "./running_calls.ts";
import { serviceDefinition } from "./service_definition.ts";

const log = getLogger(["mpc", "grpc"]);

// Deno's constants lack it: grpc-js would answer 200 to what is no gRPC.
Object.assign(constants, { HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE: 415 });

export interface GrpcLimits extends FrameLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerPeer: number;
  /** How long a connection may take to send its preface. */
  readonly handshakeTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly maxConcurrentStreams: number;
  /** A connection on which nothing comes for so long is asked whether it is still there. */
  readonly keepaliveTimeMs: number;
  /** How long that answer may take. */
  readonly keepaliveTimeoutMs: number;
}

const DEFAULT_GRPC_LIMITS: GrpcLimits = {
  ...DEFAULT_FRAME_LIMITS,
  maxConnections: 10_000,
  maxConnectionsPerPeer: 2_000,
  handshakeTimeoutMs: 10_000,
  maxMessageBytes: 4 * 1024 * 1024,
  maxConcurrentStreams: 1_000,
  keepaliveTimeMs: 60_000,
  keepaliveTimeoutMs: 20_000,
};

/** How long the last bytes to a peer may take. */
const FLUSH_MS = 1_000;

/** The server's certificate, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Door {
  readonly address: Address;
  /** Takes no more calls, lets the running ones finish for `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

/** Serves routes to every gRPC client: grpc-js behind a frame guard of our own. */
export async function serveGrpc(options: {
  readonly routes: readonly Route[];
  readonly listen: Address;
  readonly tls?: TlsFiles;
  readonly limits?: Partial<GrpcLimits>;
}): Promise<Door> {
  const limits = { ...DEFAULT_GRPC_LIMITS, ...options.limits };
  const shutdown = new AbortController();
  const lifetime = { shutdown: shutdown.signal };
  const calls = new RunningCalls();
  const interceptor: ServerInterceptor = (method, call) => {
    calls.track(call);
    return explainRefusals(method, call);
  };
  const server = new Server({
    interceptors: [interceptor],
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc.keepalive_time_ms": limits.keepaliveTimeMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
  });
  for (const route of options.routes) {
    const { definition, handlers } = serviceDefinition(route, lifetime);
    server.addService(definition, handlers);
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = new Connections(injector, limits);
  const accept = (socket: Socket) => connections.accept(socket);
  const net: NetServer = options.tls
    ? createTlsServer({ ...options.tls, ALPNProtocols: ["h2"] }, accept)
    : createServer({ noDelay: true }, accept);
  net.on("tlsClientError", (error: Error) => log.debug("TLS handshake failed: {error}", { error }));
  const address = await listen(net, options.listen);
  return {
    address,
    async close(graceMs) {
      shutdown.abort();
      const closed = new Promise<void>((resolve) => net.close(() => resolve()));
      // Not by grpc-js' own shutdown: in Deno the GOAWAY that it begins with ends running calls.
      await within(graceMs, calls.idle());
      await connections.end();
      server.forceShutdown();
      await closed;
    },
  };
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}

class Connections {
  readonly #injector: ConnectionInjector;
  readonly #limits: GrpcLimits;
  readonly #sockets = new Set<Socket>();
  readonly #perPeer = new Map<string, number>();

  constructor(injector: ConnectionInjector, limits: GrpcLimits) {
    this.#injector = injector;
    this.#limits = limits;
  }

  accept(socket: Socket): void {
    const peer = socket.remoteAddress ?? "";
    const fromPeer = (this.#perPeer.get(peer) ?? 0) + 1;
    if (
      this.#sockets.size >= this.#limits.maxConnections ||
      fromPeer > this.#limits.maxConnectionsPerPeer
    ) {
      log.warn("Connection of {peer} refused: too many", { peer });
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#perPeer.set(peer, fromPeer);
    const guard = new FrameGuard(this.#limits);
    const guarded = new GuardedSocket(socket, guard);
    const timer = setTimeout(() => {
      if (!guard.started) socket.destroy();
    }, this.#limits.handshakeTimeoutMs);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
      const left = (this.#perPeer.get(peer) ?? 1) - 1;
      if (left > 0) this.#perPeer.set(peer, left);
      else this.#perPeer.delete(peer);
    });
    guarded.on(
      "error",
      (error) => log.debug("Connection of {peer} ended: {error}", { peer, error }),
    );
    this.#injector.injectConnection(guarded);
  }

  /** Sends what is still to be sent, and closes every connection. */
  async end(): Promise<void> {
    const sockets = [...this.#sockets];
    await within(
      FLUSH_MS,
      Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.end(resolve)))),
    );
    for (const socket of sockets) socket.destroy();
  }
}
