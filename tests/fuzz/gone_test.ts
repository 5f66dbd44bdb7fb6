/** Callers that go away during a stream, at the web door. */
import { connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService } from "@mpc/proto";
import { withTarget } from "./target.ts";

const ROUNDS = 20;
const CALLERS = 20;

const REQUEST = [
  "POST /mpc.v1.EventService/WatchEvents HTTP/1.1",
  "host: localhost",
  "content-type: application/grpc-web+proto",
  "content-length: 5",
  "",
  "\0\0\0\0\0",
].join("\r\n");

/** Resolves when the response to a watch has begun. */
function watching(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(REQUEST));
    socket.on("error", reject);
    socket.once("data", () => resolve(socket));
  });
}

Deno.test({
  name: "a caller that goes away during a stream is not logged as a fault of the server",
  // What clients and their connections leave in the runtime does not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withTarget(async (target) => {
      const port = Number(target.platform.web.port);
      const baseUrl = target.platform.web.origin;
      const environments = createClient(EnvironmentService, createGrpcWebTransport({ baseUrl }));
      for (let round = 0; round < ROUNDS; round++) {
        const callers = await Promise.all(Array.from({ length: CALLERS }, () => watching(port)));
        // There is data to write to each of them when it goes away.
        const change = environments.createEnvironment({
          environmentId: `e${round}`,
          environment: {},
        });
        for (const caller of callers) caller.resetAndDestroy();
        await change;
      }
      await target.assertWell();
    }),
});
