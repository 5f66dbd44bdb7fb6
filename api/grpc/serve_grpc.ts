import { EventEmitter } from "node:events";
import type { Http2Server } from "node:http2";
import { createServer, type Socket } from "node:net";
import { Server, ServerCredentials, type ServerInterceptor, setLogger } from "@grpc/grpc-js";
import { getLogger } from "@logtape/logtape";
import { type Address, type Certificates, listen, TlsTerminator } from "@mpc/process";
import { DEFAULT_PEER_LIMITS, Peers } from "../connections/peers.ts";
import { within } from "../connections/within.ts";
import type { Route } from "../route.ts";
import { STALL_MS } from "../streams/deliver.ts";
import { DeliveryPace } from "../streams/delivery_pace.ts";
import { containStackFaults } from "./contain_stack_faults.ts";
import { explainRefusals } from "./explain_refusals.ts";
import { DEFAULT_FRAME_LIMITS } from "./connection_state.ts";
import { type ConnectionLimits, GuardedConnections } from "./guarded_connections.ts";
import { refuseRequest } from "./refuse_request.ts";
import { RunningCalls } from "./running_calls.ts";
import { serviceDefinition } from "./service_definition.ts";
import { withCertificate } from "./call_certificate.ts";

const log = getLogger(["mpc", "grpc"]);

/** The maximum length of grpc-js's messages about bad calls, for instance unreadable metadata. */
const MAX_SAID = 200;
const say = (message: string) => log.debug("{text}", { text: message.slice(0, MAX_SAID) });
setLogger({ debug: say, info: say, error: say });

export interface GrpcLimits extends ConnectionLimits {
  readonly maxMessageBytes: number;
  /** How long the reader of a stream may leave its messages unread. */
  readonly stallTimeoutMs: number;
  /** How long a connection may be silent before the server sends a PING. */
  readonly keepaliveTimeMs: number;
  /** How long the PING's acknowledgement may take. */
  readonly keepaliveTimeoutMs: number;
}

const DEFAULT_GRPC_LIMITS: GrpcLimits = {
  ...DEFAULT_FRAME_LIMITS,
  ...DEFAULT_PEER_LIMITS,
  handshakeTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
  maxMessageBytes: 4 * 1024 * 1024,
  stallTimeoutMs: STALL_MS,
  keepaliveTimeMs: 60_000,
  keepaliveTimeoutMs: 20_000,
};

export interface Door {
  readonly address: Address;
  /** Accepts no more calls, lets running ones finish for `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

/** Serves routes to every gRPC client, with grpc-js behind our own frame guard. */
export async function serveGrpc(options: {
  readonly routes: readonly Route[];
  readonly listen: Address;
  /** The certificates of each new connection; without them it serves without TLS. */
  readonly tls?: () => Certificates;
  readonly limits?: Partial<GrpcLimits>;
  /** The pace of deliveries to streams; by default this door's own. */
  readonly pace?: DeliveryPace;
  /** Connections of every door; by default this door's alone. */
  readonly peers?: Peers;
}): Promise<Door> {
  const limits = { ...DEFAULT_GRPC_LIMITS, ...options.limits };
  const faults = containStackFaults();
  const shutdown = new AbortController();
  const { pace = new DeliveryPace() } = options;
  const lifetime = { shutdown: shutdown.signal, pace, stallMs: limits.stallTimeoutMs };
  const calls = new RunningCalls();
  const interceptor: ServerInterceptor = (method, call) => {
    calls.track(call);
    return withCertificate(explainRefusals(method, call), connections.calling);
  };
  const server = new Server({
    interceptors: [interceptor],
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc.keepalive_time_ms": limits.keepaliveTimeMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
  });
  const paths = new Set<string>();
  for (const route of options.routes) {
    const { definition, handlers } = serviceDefinition(route, lifetime);
    server.addService(definition, handlers);
    for (const { path } of Object.values(definition)) paths.add(path);
  }
  const { peers = new Peers(limits) } = options;
  const refusal = refuseRequest(paths);
  const tls = options.tls && new TlsTerminator(options.tls, ["h2"]);
  const connections = new GuardedConnections(http2ServerOf(server), limits, peers, refusal, tls);
  const net = createServer({ noDelay: true }, (socket: Socket) => connections.accept(socket));
  const address = await listen(net, options.listen);
  return {
    address,
    async close(graceMs) {
      shutdown.abort();
      const closed = new Promise<void>((resolve) => net.close(() => resolve()));
      // grpc-js's own shutdown is not used: it begins with a GOAWAY, which ends running calls in
      // Deno.
      await within(graceMs, calls.idle());
      await connections.end();
      server.forceShutdown();
      await closed;
      faults[Symbol.dispose]();
    },
  };
}

/** The HTTP/2 server that grpc-js has created for injected connections. */
function http2ServerOf(server: Server): Http2Server {
  server.createConnectionInjector(ServerCredentials.createInsecure());
  const servers: unknown = Reflect.get(server, "http2Servers");
  const http2Server: unknown = servers instanceof Map ? [...servers.keys()][0] : undefined;
  if (http2Server instanceof EventEmitter) return http2Server as Http2Server;
  throw new TypeError(
    "Cannot guard calls: this version of grpc-js keeps its HTTP/2 server elsewhere",
  );
}
