import type { Address, Components } from "@mpc/process";
import { MpcError } from "@mpc/domain";
import type { ServiceDeps } from "@mpc/services";
import type { DoorsConfig } from "./config.ts";
import { Peers } from "./connections/peers.ts";
import type { ServerInfo } from "./diagnostics_service.ts";
import { serveGrpc } from "./grpc/serve_grpc.ts";
import { type CallSettings, routes } from "./routes.ts";
import { DeliveryPace } from "./streams/delivery_pace.ts";
import { serveWeb } from "./web/serve_web.ts";

/** Both doors, open. */
export interface Doors {
  readonly grpcAddress: Address;
  readonly webAddress: Address;
}

/**
 * Serves the API at both doors, and adds them to the process's components. Closing them rejects new
 * calls and lets running calls finish.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export async function openDoors(
  components: Components,
  deps: ServiceDeps,
  info: ServerInfo,
  config: DoorsConfig & CallSettings,
): Promise<Doors> {
  const { routes: served, health } = routes(deps, info, config);
  await using stack = new AsyncDisposableStack();
  const pace = new DeliveryPace();
  // A peer's share applies to both doors together.
  const peers = new Peers();
  const grpc = await serveGrpc({ routes: served, peers, pace, listen: config.grpcListen });
  stack.defer(() => grpc.close(config.graceMs));
  const web = serveWeb({
    routes: served,
    peers,
    pace,
    listen: config.webListen,
    allowedHosts: config.allowedHosts,
    grpcAddress: grpc.address,
    readyz: () => components.readyResponse(),
  });
  stack.move();
  components.add({
    name: "doors",
    assertReady: () => health.serving ? Promise.resolve() : Promise.reject(shuttingDown()),
    // Both are closed at once, so that the grace period is over for both at the same time.
    async close() {
      health.stop();
      await Promise.all([web.close(config.graceMs), grpc.close(config.graceMs)]);
    },
  });
  return { grpcAddress: grpc.address, webAddress: web.address };
}

const shuttingDown = (): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "SHUTTING_DOWN",
    message: "Cannot take calls: the server is shutting down",
  });
