import type { Address, Components } from "@mpc/process";
import { type Listening, listening } from "./listening.ts";

/**
 * Serves `/healthz`, which says that the process lives, and `/readyz`, which says by JSON what is
 * not ready, and why; with 503 where anything is not.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function serveHealth(components: Components, listen: Address): Listening {
  return listening(listen, async (request) => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return Response.json({ healthy: true });
      case "/readyz":
        return await components.readyResponse();
      default:
        return new Response("not found\n", { status: 404 });
    }
  });
}
