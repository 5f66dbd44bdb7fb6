import type { Address, Components } from "@mpc/process";
import { type Listening, listening } from "./listening.ts";

/**
 * Serves `/healthz`, which answers while the process lives, and `/readyz`, which lists in JSON
 * which components are not ready and why, with status 503 if any is not, and `/metrics`.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function serveHealth(
  { components, metrics }: {
    readonly components: Components;
    readonly metrics: (accept: string | null) => Promise<Response>;
  },
  listen: Address,
): Listening {
  return listening(listen, async (request) => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return Response.json({ healthy: true });
      case "/readyz":
        return await components.readyResponse();
      case "/metrics":
        return await metrics(request.headers.get("accept"));
      default:
        return new Response("not found\n", { status: 404 });
    }
  });
}
