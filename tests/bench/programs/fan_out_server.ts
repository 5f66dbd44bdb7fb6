/**
 * A bare grpc-js server: `fan_out_server.ts MESSAGES`. At each SIGUSR1 it writes this many
 * messages, one after another, to every stream of WatchEvents. Prints its port.
 */
import { Buffer } from "node:buffer";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { EventType, WatchEventsResponseSchema } from "@mpc/proto";
import { sampleEnvironment } from "./sample_environment.ts";

const messages = Number(Deno.args[0]);
const streams: ServerWritableStream<unknown, unknown>[] = [];
const server = new Server();
server.addService({
  watchEvents: {
    path: "/mpc.v1.EventService/WatchEvents",
    requestStream: false,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (message: ReturnType<typeof response>) =>
      Buffer.from(toBinary(WatchEventsResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => bytes,
  },
}, {
  watchEvents(call: ServerWritableStream<unknown, unknown>) {
    streams.push(call);
    call.write(create(WatchEventsResponseSchema, { synced: true, resumeToken: "x" }));
  },
});

let sequence = 0n;

function response() {
  return create(WatchEventsResponseSchema, {
    resumeToken: "x",
    event: {
      sequence: ++sequence,
      time: timestampFromMs(Date.now()),
      type: EventType.UPDATED,
      reason: "OperationAdmitted",
      target: "environments/bench",
      resource: { case: "environment", value: sampleEnvironment },
    },
  });
}

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
Deno.addSignalListener("SIGUSR1", () => {
  for (let count = 0; count < messages; count++) {
    const message = response();
    for (const stream of streams) stream.write(message);
  }
});
