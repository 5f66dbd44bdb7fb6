/** A thousand watchers that never read, on real sockets, and the calls beside them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { timed } from "../bench/measure.ts";
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  join,
  PREFACE,
} from "../fuzz/http2_frames.ts";
import { rawPeer } from "../fuzz/raw_peer.ts";
import { startPlatform } from "../servers/platform_process.ts";

const PATH = "/mpc.v1.EventService/WatchEvents";
/** `skip_existing` alone, in its envelope. */
const REQUEST = Uint8Array.of(0, 0, 0, 0, 2, 0x20, 1);

const REQUESTS = {
  grpc: join(
    PREFACE,
    frame(FRAME.SETTINGS, 0, 0),
    frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, headerBlock(callHeaders(PATH))),
    frame(FRAME.DATA, FLAG.END_STREAM, 1, REQUEST),
  ),
  web: join(
    new TextEncoder().encode(
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web+proto\r\n` +
        `Content-Length: ${REQUEST.length}\r\n\r\n`,
    ),
    REQUEST,
  ),
};

for (const door of ["grpc", "web"] as const) {
  Deno.test({
    name: `${door} door: 1,000 watchers that never read do not hold up creates`,
    // Connections that the server cuts end in a time of their own.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"]);
      const transport = createGrpcTransport(platform.grpc);
      try {
        const environments = createClient(EnvironmentService, transport);
        const create = (group: string) =>
          timed(() =>
            Promise.all(
              Array.from({ length: 100 }, (_, n) =>
                environments.createEnvironment({
                  environmentId: `${group}-${n}`,
                  environment: {},
                })),
            )
          );
        await create("warm");
        const aloneMs = await create("alone");
        const peers = await Promise.all(Array.from({ length: 1_000 }, async () => {
          const peer = await rawPeer(Number(platform[door].port), REQUESTS[door]);
          await once(peer.socket, "data");
          peer.socket.pause();
          return peer;
        }));
        const besideMs = await create("beside");
        // Ten and more times as long where every event is written to every watcher at once.
        assert.ok(besideMs < 6 * aloneMs, `${besideMs} ms beside them, ${aloneMs} ms alone`);
        for (const { socket } of peers) socket.destroy();
      } finally {
        transport.close();
        await platform.stop();
      }
    },
  });
}
