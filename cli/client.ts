import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { CommandContext } from "./context.ts";
import { patientTransport } from "./patient_transport.ts";

/** A connection to the server. */
export interface Connection {
  client<Service extends DescService>(service: Service): Client<Service>;
  /** Lets go of it. */
  close(): void;
}

/** Connects by gRPC-Web, or by gRPC for `grpc://` addresses; nothing is sent yet. */
export async function connect({ config }: Pick<CommandContext, "config">): Promise<Connection> {
  const { server } = config;
  if (server.protocol === "grpc:" || server.protocol === "grpcs:") {
    const { createGrpcTransport } = await import("./grpc_transport.ts");
    const bare = createGrpcTransport(server);
    const transport = patientTransport(bare, config.requestTimeoutMs);
    return { client: (service) => createClient(service, transport), close: bare.close };
  }
  const bare = createGrpcWebTransport({
    baseUrl: server.href.replace(/\/$/, ""),
    useBinaryFormat: true,
  });
  const transport = patientTransport(bare, config.requestTimeoutMs);
  return { client: (service) => createClient(service, transport), close: () => {} };
}

/** Runs a call with a connection that is closed afterwards. */
export async function withClient<Service extends DescService, T>(
  context: CommandContext,
  service: Service,
  use: (client: Client<Service>) => Promise<T>,
): Promise<T> {
  const connection = await connect(context);
  try {
    return await use(connection.client(service));
  } finally {
    connection.close();
  }
}
