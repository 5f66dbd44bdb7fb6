/** When a caller goes away, or its deadline passes, the service that works for it is told. */
import assert from "node:assert/strict";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Route, route, serveGrpc, serveWeb } from "@mpc/api";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";

const LISTEN = { host: "127.0.0.1", port: 0 };

const DOORS = {
  "gRPC": async (routes: readonly Route[]) => {
    const door = await serveGrpc({ routes, listen: LISTEN });
    const transport = createGrpcTransport(new URL(`grpc://127.0.0.1:${door.address.port}`));
    return { door, transport, close: transport.close };
  },
  "gRPC-Web": (routes: readonly Route[]) => {
    const door = serveWeb({ routes, listen: LISTEN });
    const baseUrl = `http://127.0.0.1:${door.address.port}`;
    return { door, transport: createGrpcWebTransport({ baseUrl }), close: () => {} };
  },
};

for (const [name, open] of Object.entries(DOORS)) {
  for (const cause of ["the caller goes away", "the deadline passes"] as const) {
    Deno.test({
      name: `${name}: the service is told when ${cause}`,
      // Clients keep connections in their own pools.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const begun = Promise.withResolvers<HandlerContext>();
        const { door, transport, close } = await open([
          route(DiagnosticsService, {
            diagnose: () => ({}),
            sweepObjects: () => ({}),
            claimCluster: () => ({}),
            getActivity: () => ({}),
            getServerInfo(_, context) {
              begun.resolve(context);
              return new Promise((_, reject) =>
                context.signal.addEventListener("abort", () => reject(context.signal.reason))
              );
            },
          }),
        ]);
        const caller = new AbortController();
        const options = cause === "the deadline passes"
          ? { timeoutMs: 200 }
          : { signal: caller.signal };
        const call = createClient(DiagnosticsService, transport).getServerInfo({}, options);
        const context = await begun.promise;
        const { signal } = context;
        const told = new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve())
        );
        if (cause === "the deadline passes") {
          const left = context.timeoutMs();
          assert.ok(left !== undefined && left <= 200, `the service has ${left} ms left`);
        } else caller.abort();
        const error = await call.then(() => undefined, ConnectError.from);
        assert.equal(
          error?.code,
          cause === "the deadline passes" ? Code.DeadlineExceeded : Code.Canceled,
        );
        await told;
        close();
        await door.close(0);
      },
    });
  }
}
