import { type Address, type Components, isLoopback } from "@mpc/process";
import { type Listening, listening } from "./listening.ts";

const NOT_PUBLIC = "/metrics is for this machine; start the worker with --public-metrics\n";

/**
 * Serves `/healthz`, which answers while the process lives, and `/readyz`, which lists in JSON
 * which components are not ready and why, with status 503 if any is not, and `/metrics`, to other
 * machines only where it is public.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function serveHealth(
  { components, metrics, publicMetrics }: {
    readonly components: Components;
    readonly metrics: (accept: string | null) => Promise<Response>;
    readonly publicMetrics: boolean;
  },
  listen: Address,
): Listening {
  return listening(listen, async (request, peer) => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return Response.json({ healthy: true });
      case "/readyz":
        return await components.readyResponse();
      case "/metrics":
        return publicMetrics || isLoopback(peer)
          ? await metrics(request.headers.get("accept"))
          : new Response(NOT_PUBLIC, { status: 403 });
      default:
        return new Response("not found\n", { status: 404 });
    }
  });
}
