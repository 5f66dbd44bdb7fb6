import type { Address } from "@mpc/process";
import type { ServiceDeps } from "@mpc/services";
import type { DoorsConfig } from "./config.ts";
import type { ServerInfo } from "./diagnostics_service.ts";
import { serveGrpc } from "./grpc/serve_grpc.ts";
import { routes } from "./routes.ts";
import { serveWeb } from "./web/serve_web.ts";

/** Both doors, open. */
export interface Doors {
  readonly grpcAddress: Address;
  readonly webAddress: Address;
  /** Says that no calls are taken any more, and lets the running ones finish. */
  close(): Promise<void>;
}

/**
 * Serves the API at both doors.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export async function openDoors(
  deps: ServiceDeps,
  info: ServerInfo,
  config: DoorsConfig,
): Promise<Doors> {
  const { routes: served, health } = routes(deps, info, config.rateLimit);
  await using stack = new AsyncDisposableStack();
  const grpc = await serveGrpc({ routes: served, listen: config.grpcListen });
  stack.defer(() => grpc.close(config.graceMs));
  const ready = () => health.serving;
  const web = serveWeb({
    routes: served,
    listen: config.webListen,
    allowedHosts: config.allowedHosts,
    grpcAddress: grpc.address,
    ready,
  });
  stack.move();
  return {
    grpcAddress: grpc.address,
    webAddress: web.address,
    // Both at once, so that the grace is over for both at the same time.
    async close() {
      health.stop();
      await Promise.all([web.close(config.graceMs), grpc.close(config.graceMs)]);
    },
  };
}
