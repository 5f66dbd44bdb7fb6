/**
 * A server that Connect's conformance suite starts: it reads what is wanted from stdin, serves at
 * one door, the gRPC door or the web door by its argument, and says on stdout where.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Route, serveGrpc, serveWeb } from "@mpc/api";
import { conformanceService } from "./conformance_service.ts";
import { ServerCompatRequestSchema, ServerCompatResponseSchema } from "./gen/server_compat_pb.ts";
import { ConformanceService } from "./gen/service_pb.ts";

const { useTls, messageReceiveLimit, serverCreds } = fromBinary(
  ServerCompatRequestSchema,
  await readDelimited(Deno.stdin.readable),
);
const implementation = conformanceService as unknown as Route["implementation"];
const routes: Route[] = [{ service: ConformanceService, implementation }];
const listen = { host: "127.0.0.1", port: 0 };
const text = new TextDecoder();
const answer = create(ServerCompatResponseSchema, { host: listen.host });
if (Deno.args[0] === "grpc") {
  const { address } = await serveGrpc({
    routes,
    listen,
    ...(messageReceiveLimit > 0 && { limits: { maxMessageBytes: messageReceiveLimit } }),
    ...(useTls && serverCreds && {
      tls: () => ({
        cert: text.decode(serverCreds.cert),
        key: text.decode(serverCreds.key),
        clients: null,
      }),
    }),
  });
  answer.port = address.port;
  if (useTls && serverCreds) answer.pemCert = serverCreds.cert;
} else {
  const { address } = serveWeb({
    routes,
    listen,
    ...(messageReceiveLimit > 0 && { limits: { maxBodyBytes: messageReceiveLimit } }),
  });
  answer.port = address.port;
}
Deno.stdout.writeSync(delimited(toBinary(ServerCompatResponseSchema, answer)));
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));

/** A message behind its length in four bytes. */
function delimited(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length);
  bytes.set(message, 4);
  return bytes;
}

async function readDelimited(input: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  let read = new Uint8Array();
  for await (const part of input) {
    read = new Uint8Array([...read, ...part]);
    if (read.length < 4) continue;
    const end = 4 + new DataView(read.buffer).getUint32(0);
    if (read.length >= end) return read.subarray(4, end);
  }
  throw new Error(`the input ended after ${read.length} bytes`);
}
