import {
  type Address,
  CertificateFiles,
  type Components,
  tlsListener,
  type TlsSettings,
} from "@mpc/process";
import { getLogger } from "@logtape/logtape";
import { MpcError } from "@mpc/domain";
import type { Transport } from "@connectrpc/connect";
import type { ServiceDeps } from "@mpc/services";
import type { DoorsConfig } from "./config.ts";
import { Peers } from "./connections/peers.ts";
import type { ServerInfo } from "./diagnostics_service.ts";
import { metricsForOperators } from "./metrics_for_operators.ts";
import { serveGrpc } from "./grpc/serve_grpc.ts";
import { inProcessTransport } from "./in_process_transport.ts";
import { type CallSettings, routes } from "./routes.ts";
import { DeliveryPace } from "./streams/delivery_pace.ts";
import type { Pages } from "./web/pages.ts";
import { serveWeb } from "./web/serve_web.ts";

const log = getLogger(["mpc", "doors"]);

/** Pages that the web door serves besides the API. */
export interface Dashboard {
  readonly pages: Pages;
  /** Ends its streams, which would otherwise keep the door open. */
  close(): void;
}

/** Makes calls of this process on behalf of a client. */
export type CallsFor = (client: Parameters<Pages>[1]) => Transport;

/** Both doors, open. */
export interface Doors {
  readonly grpcAddress: Address;
  readonly webAddress: Address;
}

/**
 * Serves the API at both doors, and adds them to the process's components. Closing them rejects new
 * calls and lets running calls finish.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE`, `CANNOT_LISTEN`, `CERTIFICATE_UNUSABLE`
 */
export async function openDoors(
  components: Components,
  deps: ServiceDeps,
  info: ServerInfo,
  config: DoorsConfig & CallSettings & {
    /** Answers `/metrics`. */
    readonly metrics: (accept: string | null) => Promise<Response>;
    /** Opens the dashboard; by default there is none. */
    readonly dashboard?: (callsFor: CallsFor) => Dashboard;
  },
): Promise<Doors> {
  const { routes: served, health } = routes(deps, info, config);
  await using stack = new AsyncDisposableStack();
  const pace = new DeliveryPace();
  // A peer's share applies to both doors together.
  const peers = new Peers();
  const certificates = config.tls && openCertificates(config.tls, components);
  const tls = certificates && (() => certificates.current);
  const grpc = await serveGrpc({
    ...{ routes: served, peers, pace, listen: config.grpcListen },
    ...(tls && { tls }),
  });
  stack.defer(() => grpc.close(config.graceMs));
  const dashboard = config.dashboard?.((client) => inProcessTransport(served, client));
  stack.defer(() => dashboard?.close());
  const web = serveWeb({
    routes: served,
    peers,
    pace,
    listen: config.webListen,
    ...(tls && { listener: await tlsListener(config.webListen, tls) }),
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    grpcAddress: grpc.address,
    readyz: () => components.readyResponse(),
    metrics: metricsForOperators(deps, config),
    ...(dashboard && { pages: dashboard.pages }),
  });
  stack.move();
  if (config.exposed !== null) {
    log.warn("Other machines can reach this server without {lacks}, as --insecure says", {
      lacks: config.exposed,
    });
  }
  components.add({
    name: "doors",
    assertReady: () => health.serving ? Promise.resolve() : Promise.reject(shuttingDown()),
    // Both are closed at once, so that the grace period is over for both at the same time.
    async close() {
      health.stop();
      dashboard?.close();
      await Promise.all([web.close(config.graceMs), grpc.close(config.graceMs)]);
    },
  });
  return { grpcAddress: grpc.address, webAddress: web.address };
}

function openCertificates(settings: TlsSettings, components: Components): CertificateFiles {
  const files = new CertificateFiles(settings);
  components.add({
    name: "tls",
    assertReady: () => files.assertReady(),
    close: () => Promise.resolve(files.close()),
  });
  return files;
}

const shuttingDown = (): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "SHUTTING_DOWN",
    message: "Cannot take calls: the server is shutting down",
  });
