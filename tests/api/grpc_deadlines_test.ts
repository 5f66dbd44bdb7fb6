/** Any deadline that a gRPC client may send, at the gRPC door. */
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { startAllInOne } from "@mpc/api";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

const ROWS: readonly [timeout: string, status: string][] = [
  ["0n", "4"],
  ["0H", "4"],
  ["597H", "0"],
  ["1200H", "0"],
  ["99999999H", "0"],
  ["100000000H", "3"],
  ["-1S", "3"],
  ["1.5S", "3"],
];

Deno.test({
  name:
    "gRPC: deadlines that have passed are DEADLINE_EXCEEDED, those of years are accepted, and " +
    "malformed ones are INVALID_ARGUMENT",
  // Connections that grpc-js keeps for a moment after its last frame do not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const platform = await startAllInOne(QUIET_CONFIG);
    const session = connect(`http://127.0.0.1:${platform.grpcAddress.port}`);
    try {
      for (const [timeout, status] of ROWS) {
        await t.step(timeout, async () => {
          const stream = session.request({
            ":method": "POST",
            ":path": "/mpc.v1.EnvironmentService/ListEnvironments",
            "content-type": "application/grpc",
            "grpc-timeout": timeout,
            te: "trailers",
          });
          const told = new Promise<unknown>((resolve, reject) => {
            const tell = (headers: Record<string, unknown>) => {
              if (headers["grpc-status"] !== undefined) resolve(headers["grpc-status"]);
            };
            stream.on("response", tell).on("trailers", tell).on("error", reject);
          });
          stream.resume();
          stream.end(new Uint8Array(5));
          assert.equal(String(await told), status);
        });
      }
    } finally {
      session.close();
      await platform.close();
    }
  },
});
