/**
 * A process with the API's gRPC door, plain and by TLS, and its web door, for tests that may kill it.
 * Prints one line of JSON when it listens: its pid, the ports, and the certificate.
 */
import { DiagnosticsService } from "@mpc/proto";
import { route, serveGrpc, serveWeb } from "@mpc/api";
import { loopbackCertificate } from "./certificate.ts";

const routes = [
  route(DiagnosticsService, {
    diagnose: () => ({}),
    sweepObjects: () => ({}),
    claimCluster: () => ({}),
    getActivity: () => ({}),
    getServerInfo: () => ({ version: "test" }),
  }),
];
const tls = await loopbackCertificate();
const listen = { host: "127.0.0.1", port: 0 };
const plain = await serveGrpc({ routes, listen });
const secure = await serveGrpc({ routes, listen, tls: () => ({ ...tls, clients: null }) });
/** Late enough for what a test sends behind a request to arrive before the answer leaves. */
const LATE_MS = 250;
const web = serveWeb({
  routes,
  listen,
  async readyz() {
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    return new Response("ready\n");
  },
});
console.log(JSON.stringify({
  pid: Deno.pid,
  plain: plain.address.port,
  tls: secure.address.port,
  web: web.address.port,
  cert: tls.cert,
}));
