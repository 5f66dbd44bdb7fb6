/**
 * Servers for comparison: `guarded` and `unguarded` answer GetEnvironment with one message and
 * ListEnvironments with fifty, with grpc-js; `web` answers with the request's bytes, with
 * `Deno.serve`. Prints the port.
 */
import { createServer } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { FrameGuard, GuardedSocket } from "@mpc/api";
import { EnvironmentSchema, EnvironmentService, ListEnvironmentsResponseSchema } from "@mpc/proto";
import { DeliveryPace } from "../../../api/streams/delivery_pace.ts";
import { serviceDefinition } from "../../../api/grpc/service_definition.ts";
import { sampleEnvironment } from "./sample_environment.ts";

const mode = Deno.args[0];
const answer = create(EnvironmentSchema, sampleEnvironment);
const page = create(ListEnvironmentsResponseSchema, { environments: Array(50).fill(answer) });

if (mode === "web") {
  const message = toBinary(EnvironmentSchema, answer);
  const frame = (flags: number, bytes: Uint8Array) => {
    const framed = new Uint8Array(5 + bytes.length);
    framed[0] = flags;
    new DataView(framed.buffer).setUint32(1, bytes.length);
    framed.set(bytes, 5);
    return framed;
  };
  const trailer = frame(0x80, new TextEncoder().encode("grpc-status: 0\r\n"));
  const data = frame(0, message);
  const body = new Uint8Array([...data, ...trailer]);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      await request.arrayBuffer();
      return new Response(body, { headers: { "content-type": "application/grpc-web+proto" } });
    },
  );
  console.log(server.addr.port);
} else {
  const server = new Server();
  const route = { service: EnvironmentService, implementation: {} };
  const { definition } = serviceDefinition(
    {
      ...route,
      implementation: { getEnvironment: () => answer, listEnvironments: () => page } as never,
    },
    { shutdown: new AbortController().signal, pace: new DeliveryPace(), stallMs: 10_000 },
  );
  server.addService(definition, {
    getEnvironment: (_call: unknown, callback: (error: null, value: unknown) => void) =>
      callback(null, answer),
    listEnvironments: (_call: unknown, callback: (error: null, value: unknown) => void) =>
      callback(null, page),
  });
  if (mode === "unguarded") {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error) throw error;
      console.log(port);
    });
  } else {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const net = createServer({ noDelay: true }, (socket) => {
      const guarded = new GuardedSocket(socket, new FrameGuard());
      guarded.on("error", (error) => console.error(error));
      injector.injectConnection(guarded);
    });
    net.listen(0, "127.0.0.1", () => {
      const address = net.address();
      console.log(typeof address === "object" ? address?.port : 0);
    });
  }
}
