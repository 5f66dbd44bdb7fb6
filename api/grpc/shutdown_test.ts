/** Shutting down while calls are being answered: every response reaches its caller. */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { route } from "../route.ts";
import { serveGrpc } from "./serve_grpc.ts";

const ROUNDS = 20;
const CALLS = 8;

/** Serves one method, whose responses a test releases. */
async function serveHeld(versionBytes: number) {
  const taken: PromiseWithResolvers<void>[] = [];
  const arrived = Promise.withResolvers<void>();
  const routes = [
    route(DiagnosticsService, {
      diagnose: () => ({}),
      sweepObjects: () => ({}),
      claimCluster: () => ({}),
      getActivity: () => ({}),
      async getServerInfo() {
        const held = Promise.withResolvers<void>();
        if (taken.push(held) === CALLS) arrived.resolve();
        await held.promise;
        return { version: "v".repeat(versionBytes) };
      },
    }),
  ];
  const door = await serveGrpc({ routes, listen: { host: "127.0.0.1", port: 0 } });
  const { host, port } = door.address;
  const transport = createGrpcTransport(new URL(`grpc://${host}:${port}`));
  const { getServerInfo } = createClient(DiagnosticsService, transport);
  const calls = Array.from({ length: CALLS }, () => getServerInfo({}));
  await arrived.promise;
  return {
    door,
    transport,
    calls,
    answer: () => taken.forEach(({ resolve }) => resolve()),
  };
}

for (
  const [size, bytes] of [["small", 10], ["that fill the socket's buffer", 300_000]] as const
) {
  for (const order of ["before", "after"] as const) {
    Deno.test({
      name: `answers ${size}, given right ${order} the server shuts down, reach their callers`,
      // Connections that grpc-js keeps after a client is closed do not matter here.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        for (let round = 0; round < ROUNDS; round++) {
          const { door, transport, calls, answer } = await serveHeld(bytes);
          if (order === "before") answer();
          // The handlers continue in microtasks, so that they have returned when `close` is called.
          for (let turn = 0; turn < 20; turn++) await Promise.resolve();
          const closed = door.close(60_000);
          if (order === "after") answer();
          for (const { version } of await Promise.all(calls)) assert.equal(version.length, bytes);
          await closed;
          transport.close();
        }
      },
    });
  }
}
