import { createConnectRouter } from "@connectrpc/connect";
import { createFetchHandler } from "@connectrpc/connect/protocol";
import {
  accessLog,
  type Address,
  type Certificates,
  identify,
  type Identity,
  intercept,
  type Interceptor,
} from "@mpc/process";
import { ClusterService } from "@mpc/proto/internal";
import { type Listening, listening } from "../listening.ts";
import { listeningWithTls } from "./listening_with_tls.ts";
import { clusterService, type ClusterSources } from "./cluster_service.ts";
import { reportErrors } from "./report_errors.ts";

/** The only caller of the internal service. */
const API: Identity = { principal: "service:api", groups: [], kind: "service" };

const INTERCEPTORS = [accessLog, reportErrors, identify(() => API)];

/**
 * Serves the internal service to the API, with Connect's protocol. Closing ends streams at once and
 * lets other calls finish.
 * @param certificates to serve by TLS, to clients with a certificate; by default without TLS
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export async function serveInternal(
  sources: ClusterSources,
  listen: Address,
  { certificates, traceCalls = [] }: {
    readonly certificates?: (() => Certificates) | undefined;
    readonly traceCalls?: readonly Interceptor[];
  } = {},
): Promise<Listening> {
  const shutdown = new AbortController();
  const router = createConnectRouter({ shutdownSignal: shutdown.signal });
  const interceptors = [...traceCalls, ...INTERCEPTORS];
  router.service(ClusterService, intercept(ClusterService, clusterService(sources), interceptors));
  const handlers = new Map(router.handlers.map((handler) => [
    handler.requestPath,
    createFetchHandler(handler),
  ]));
  const answer = async (request: Request) => {
    const handler = handlers.get(new URL(request.url).pathname);
    return handler ? await handler(request) : new Response("not found\n", { status: 404 });
  };
  const server = certificates
    ? await listeningWithTls(listen, certificates, answer)
    : listening(listen, answer);
  return {
    address: server.address,
    async close() {
      shutdown.abort();
      await server.close();
    },
  };
}
