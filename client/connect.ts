import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { baseUrlOf, type ConnectOptions, isGrpc, REQUEST_TIMEOUT_MS } from "./connect_options.ts";
import { withDeadlines } from "./deadlines.ts";
import type { ReconnectOptions } from "./reconnect.ts";
import { withRetries } from "./retries.ts";

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
  { server, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ConnectOptions,
  retries?: ReconnectOptions,
): Promise<Connection> {
  const prepared = (bare: Transport) => {
    const transport = withDeadlines(bare, requestTimeoutMs);
    return retries ? withRetries(transport, retries) : transport;
  };
  if (isGrpc(server)) {
    const { createGrpcTransport } = await import("./grpc_transport.ts");
    const bare = createGrpcTransport(server);
    const transport = prepared(bare);
    return { client: (service) => createClient(service, transport), close: bare.close };
  }
  const transport = prepared(
    createGrpcWebTransport({ baseUrl: baseUrlOf(server), useBinaryFormat: true }),
  );
  return { client: (service) => createClient(service, transport), close() {} };
}
