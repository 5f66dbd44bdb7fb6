import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { withBearer } from "./bearer.ts";
import { type Carrier, withTracer } from "./call_tracer.ts";
import {
  baseUrlOf,
  type ConnectOptions,
  isEncrypted,
  isGrpc,
  REQUEST_TIMEOUT_MS,
} from "./connect_options.ts";
import { withDeadlines } from "./deadlines.ts";
import type { ReconnectOptions } from "./reconnect.ts";
import { withRetries } from "./retries.ts";
import type { TlsFiles } from "./tls_fetch.ts";

/** Clients of the services of one server. */
export interface Connection {
  client<Service extends DescService>(service: Service): Client<Service>;
  close(): void;
}

/**
 * Makes clients of a server; sends nothing yet. gRPC-Web keeps no connection and suits processes of
 * any lifetime. gRPC uses grpc-js, which is loaded on demand and is for short-lived programs only:
 * a GOAWAY from the server can crash a Deno process that keeps such a client (see "API" in the
 * design notes).
 * @param retries repeats calls that it is safe to repeat while the server is unreachable
 */
export async function connect(
  { server, requestTimeoutMs = REQUEST_TIMEOUT_MS, credentials, tls, tracer }: ConnectOptions,
  retries?: ReconnectOptions,
): Promise<Connection> {
  const prepared = (bare: Transport, carrier: Carrier) => {
    const traced = tracer ? withTracer(bare, tracer, carrier) : bare;
    const limited = withDeadlines(traced, requestTimeoutMs);
    // Outside of the deadline: a new token may need a while.
    const transport = credentials ? withBearer(limited, server, credentials) : limited;
    return retries ? withRetries(transport, retries) : transport;
  };
  if (isGrpc(server)) {
    const { createGrpcTransport } = await import("./grpc_transport.ts");
    const bare = createGrpcTransport(server, { tls });
    const transport = prepared(bare, "grpc");
    return { client: (service) => createClient(service, transport), close: bare.close };
  }
  const secure = tls && isEncrypted(server) ? await openTlsFetch(tls) : undefined;
  const transport = prepared(
    createGrpcWebTransport({
      baseUrl: baseUrlOf(server),
      useBinaryFormat: true,
      ...(secure && { fetch: secure.fetch }),
    }),
    "fetch",
  );
  return { client: (service) => createClient(service, transport), close: () => secure?.close() };
}

/**
 * Makes clients that call by a transport, for instance within the server's own process. Calls have
 * deadlines, as with `connect`.
 * @param options.server where the transport leads; by default it does not leave this process
 */
export function connectBy(
  bare: Transport,
  { server = IN_PROCESS, credentials, requestTimeoutMs = REQUEST_TIMEOUT_MS }:
    & Omit<ConnectOptions, "server" | "tls">
    & Partial<Pick<ConnectOptions, "server">> = {},
): Connection {
  const limited = withDeadlines(bare, requestTimeoutMs);
  const transport = credentials ? withBearer(limited, server, credentials) : limited;
  return { client: (service) => createClient(service, transport), close: () => {} };
}

/** Tokens may be sent there. */
const IN_PROCESS = new URL("http://localhost");

/** Loaded on demand: most connections need no certificates of their own. */
const openTlsFetch = async (tls: TlsFiles) => (await import("./tls_fetch.ts")).createTlsFetch(tls);
