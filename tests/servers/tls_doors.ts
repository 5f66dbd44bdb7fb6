import { Buffer } from "node:buffer";
import { fromBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Client, credentials } from "@grpc/grpc-js";
import { type Door, Peers, route, serveGrpc, serveWeb } from "@mpc/api";
import { type Certificates, PEER_CERTIFICATE, tlsListener } from "@mpc/process";
import { DiagnosticsService, GetServerInfoResponseSchema } from "@mpc/proto";
import type { Pair } from "./test_authority.ts";

const LISTEN = { host: "127.0.0.1", port: 0 };
const PATH = "/mpc.v1.DiagnosticsService/GetServerInfo";

const diagnostics = (
  getServerInfo: (context: HandlerContext) => { version: string } | Promise<{ version: string }>,
) =>
  route(DiagnosticsService, {
    diagnose: () => ({}),
    sweepObjects: () => ({}),
    claimCluster: () => ({}),
    getActivity: () => ({}),
    getServerInfo: (_, context) => getServerInfo(context),
  });

/** Answers with the common name of the client's certificate. */
const WHO = diagnostics(({ values }) => ({
  version: values.get(PEER_CERTIFICATE)?.commonName ?? "nobody",
}));

/** What a client presents and trusts. */
export interface ClientTls {
  readonly ca: string;
  readonly own?: Pair;
}

/** Both doors with TLS, which share their peers. */
export interface TlsDoors extends AsyncDisposable {
  readonly grpc: Door;
  readonly web: Door;
  readonly peers: Peers;
}

export async function openTlsDoors(
  certificates: () => Certificates,
  limits: {
    readonly handshakeTimeoutMs?: number;
    readonly maxConnections?: number;
    readonly idleTimeoutMs?: number;
  } = {},
  getServerInfo?: Parameters<typeof diagnostics>[0],
): Promise<TlsDoors> {
  const routes = [getServerInfo ? diagnostics(getServerInfo) : WHO];
  const { maxConnections = 2_500 } = limits;
  const share = { maxHeldBytes: 32 * 1024 * 1024, maxCalls: 1_000, workPerTurn: 64 };
  const peers = new Peers({ ...share, maxConnections });
  const common = { routes, listen: LISTEN, limits, peers };
  const grpc = await serveGrpc({ ...common, tls: certificates });
  const web = serveWeb({ ...common, listener: await tlsListener(LISTEN, certificates) });
  return {
    grpc,
    web,
    peers,
    async [Symbol.asyncDispose]() {
      await Promise.all([grpc.close(0), web.close(0)]);
    },
  };
}

/** Both doors without TLS. */
export async function openPlainDoors(): Promise<Pick<TlsDoors, "grpc" | "web"> & AsyncDisposable> {
  const grpc = await serveGrpc({ routes: [WHO], listen: LISTEN });
  const web = serveWeb({ routes: [WHO], listen: LISTEN });
  return {
    grpc,
    web,
    async [Symbol.asyncDispose]() {
      await Promise.all([grpc.close(0), web.close(0)]);
    },
  };
}

/** Calls the gRPC door on a connection of its own. @returns whom the server takes the caller for */
export async function callGrpc({ address }: Door, { ca, own }: ClientTls): Promise<string> {
  const channel = credentials.createSsl(
    Buffer.from(ca),
    own ? Buffer.from(own.key) : null,
    own ? Buffer.from(own.cert) : null,
  );
  const client = new Client(`localhost:${address.port}`, channel, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
  });
  try {
    return await new Promise((resolve, reject) =>
      client.makeUnaryRequest(
        PATH,
        (bytes: Buffer) => bytes,
        (bytes) => fromBinary(GetServerInfoResponseSchema, bytes),
        Buffer.alloc(0),
        { deadline: Date.now() + 60_000 },
        (error, answer) => error ? reject(error) : resolve(answer?.version ?? ""),
      )
    );
  } finally {
    client.close();
  }
}

/** Calls the web door on a connection of its own. @returns whom the server takes the caller for */
export async function callWeb(
  { address }: Door,
  { ca, own }: ClientTls,
  protocol: "http1" | "http2" = "http2",
): Promise<string> {
  using client = Deno.createHttpClient({
    caCerts: [ca],
    ...own,
    http1: protocol === "http1",
    http2: protocol === "http2",
  });
  const response = await fetch(`https://localhost:${address.port}${PATH}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
    client,
  });
  const { version } = await response.json();
  return String(version);
}
