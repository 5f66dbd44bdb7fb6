/** The dashboard alone: `deno task ui`. */
import process from "node:process";
import { Code, ConnectError } from "@connectrpc/connect";
import { serveWeb } from "@mpc/api";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { connectBy, type Connection } from "@mpc/client";
import {
  type Address,
  CertificateFiles,
  Components,
  formatAddress,
  runProcess,
  systemClock,
  tlsListener,
} from "@mpc/process";
import { DiagnosticsService } from "@mpc/proto";
import { createDashboard } from "./mod.ts";
import type { Viewer } from "./viewer.ts";
import { readUiConfig, type UiConfig } from "./config.ts";

interface Ui {
  readonly address: Address;
  close(): Promise<void>;
}

/**
 * Serves the pages. The API need not be there yet: pages then say so.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE`, `CANNOT_LISTEN`, `CERTIFICATE_UNUSABLE`
 */
async function startUi(config: UiConfig): Promise<Ui> {
  const { server, listen } = config;
  await using stack = new AsyncDisposableStack();
  const components = stack.use(new Components());
  // Holds no resources until it calls.
  const transport = createGrpcWebTransport({ baseUrl: server.origin, useBinaryFormat: true });
  const connectAs = ({ token }: Viewer) =>
    connectBy(transport, { server, credentials: () => Promise.resolve(token) });
  const connected = connectBy(transport);
  components.add({ name: "api", assertReady: (signal) => assertApi(connected, signal) });
  const dashboard = createDashboard({
    connectAs,
    now: () => systemClock.now(),
    secure: config.tls !== null,
  });
  const certificates = config.tls && new CertificateFiles(config.tls);
  if (certificates) {
    components.add({
      name: "tls",
      assertReady: () => certificates.assertReady(),
      close: () => Promise.resolve(certificates.close()),
    });
  }
  const door = serveWeb({
    routes: [],
    listen,
    ...(certificates && { listener: await tlsListener(listen, () => certificates.current) }),
    allowedHosts: config.allowedHosts,
    readyz: () => components.readyResponse(),
    pages: dashboard.pages,
  });
  components.add({
    name: "pages",
    async close() {
      dashboard.close();
      await door.close(config.graceMs);
    },
  });
  const running = stack.move();
  return { address: door.address, close: () => running.disposeAsync() };
}

/** @throws {ConnectError} if the API does not answer; without credentials it may refuse to */
async function assertApi(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    await connection.client(DiagnosticsService).getServerInfo({}, { signal });
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
  }
}

const welcome = (config: UiConfig, { address }: Ui): string =>
  `The dashboard is running.

  pages   ${config.tls ? "https" : "http"}://${formatAddress(address)}
  server  ${config.server.origin}
`;

process.exitCode = await runProcess({
  readConfig: readUiConfig,
  start: startUi,
  welcome,
  goodbye: "Stopping: running requests may finish",
}, process.argv.slice(2));
