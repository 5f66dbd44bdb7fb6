/** Errors and metadata that are too large for what clients take. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Code } from "@connectrpc/connect";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { startAllInOne } from "@mpc/api";
import { formatAddress } from "@mpc/process";
import { BadRequestSchema, CreateEnvironmentRequestSchema, StatusSchema } from "@mpc/proto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
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
import { failure, testAtAllDoors } from "./doors.ts";

/** What grpc-java and gRPC's C core take of metadata, by default. */
const MAX_METADATA_BYTES = 8_192;

function badLabels(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`Bad name ${"ü".repeat(60)} ${n}`, "x".repeat(100)]),
  );
}

testAtAllDoors("an error tells as many bad fields as fit, and how many more", async (clients) => {
  const { environments } = clients;
  for (const count of [40, 4_000]) {
    const call = environments.createEnvironment({
      environmentId: "large",
      environment: { labels: badLabels(count) },
    });
    const error = await failure(call);
    assert.equal(error.code, Code.InvalidArgument, error.message);
    const [bad] = error.findDetails(BadRequestSchema);
    const told = bad!.fieldViolations.slice(0, -1);
    const last = bad!.fieldViolations.at(-1)!;
    assert.ok(told.length > 3, `${told.length} fields are told`);
    assert.equal(last.reason, "MORE_FIELDS");
    const more = Number(/^and (\d+) more fields are not valid$/.exec(last.description)?.[1]);
    assert.ok(told.length + more >= count, `${told.length} and ${more} of ${count}`);
  }
  await environments.listEnvironments({});
});

testAtAllDoors("a message does not echo all of what a caller sent", async ({ environments }) => {
  const error = await failure(environments.getEnvironment({ name: "x".repeat(100_000) }));
  assert.equal(error.code, Code.InvalidArgument);
  assert.ok(error.message.length < 4_000, `${error.message.length} characters`);
});

/** The frames that a server has sent. */
function framesOf(text: string): { type: number; stream: number; payload: Buffer }[] {
  const bytes = Buffer.from(text, "latin1");
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({ type: bytes[at + 3]!, stream: bytes.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return frames;
}

Deno.test("the gRPC door announces how large headers may be, and refuses one call with more", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  try {
    const headers = callHeaders("/mpc.v1.DiagnosticsService/GetServerInfo");
    const empty = new Uint8Array(5);
    const large = headerBlock({ ...headers, "x-large": "a".repeat(17_000) });
    const { ended, socket } = await rawPeer(
      platform.grpcAddress.port,
      join(
        PREFACE,
        frame(FRAME.SETTINGS, 0, 0),
        frame(FRAME.HEADERS, 0, 1, large.subarray(0, 16_000)),
        frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, large.subarray(16_000)),
        frame(FRAME.HEADERS, FLAG.END_HEADERS, 3, headerBlock(headers)),
        frame(FRAME.DATA, FLAG.END_STREAM, 3, empty),
      ),
    );
    const received: Buffer[] = [];
    const answered = Promise.withResolvers<void>();
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk);
      const frames = framesOf(Buffer.concat(received).toString("latin1"));
      const data = frames.some(({ type, stream }) => type === FRAME.DATA && stream === 3);
      const reset = frames.some(({ type, stream }) => type === FRAME.RST_STREAM && stream === 1);
      if (data && reset) answered.resolve();
    });
    await Promise.race([
      answered.promise,
      ended.then((text) => assert.fail(`the connection ended: ${text}`)),
    ]);
    socket.destroy();
    const [settings] = framesOf(await ended);
    const values = new Map<number, number>();
    for (let at = 0; at < settings!.payload.length; at += 6) {
      values.set(settings!.payload.readUInt16BE(at), settings!.payload.readUInt32BE(at + 2));
    }
    const MAX_HEADER_LIST_SIZE = 6;
    assert.equal(values.get(MAX_HEADER_LIST_SIZE), 16_384);
  } finally {
    await platform.close();
  }
});

Deno.test("gRPC's trailers are within what clients take, however much is wrong", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const client = new Client(formatAddress(platform.grpcAddress), credentials.createInsecure());
  try {
    for (const count of [40, 4_000]) {
      const request = toBinary(
        CreateEnvironmentRequestSchema,
        create(CreateEnvironmentRequestSchema, {
          environmentId: "x".repeat(50_000),
          environment: { labels: badLabels(count) },
        }),
      );
      const error = await new Promise<ServiceError>((resolve, reject) => {
        client.makeUnaryRequest(
          "/mpc.v1.EnvironmentService/CreateEnvironment",
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes) => bytes,
          request,
          (error) => error ? resolve(error) : reject(new Error("the call was to fail")),
        );
      });
      assert.equal(error.code, Code.InvalidArgument, error.message);
      const [binary] = error.metadata.get("grpc-status-details-bin");
      const { details } = fromBinary(StatusSchema, binary as Buffer);
      assert.ok(details.some((detail) => anyUnpack(detail, BadRequestSchema)));
      assert.ok(sizeOf(error) <= MAX_METADATA_BYTES, `${sizeOf(error)} bytes`);
    }
  } finally {
    client.close();
    await platform.close();
  }
});

/** The size of what a call ended with, as HTTP/2 counts it (RFC 9113, section 6.5.2). */
function sizeOf({ metadata, details, code }: ServiceError): number {
  const fields = {
    ...metadata.toHttp2Headers(),
    ":status": "200",
    "grpc-status": code,
    "grpc-message": encodeURI(details),
  };
  return Object.entries(fields).reduce(
    (sum, [name, value]) => sum + `${name}${value}`.length + 32,
    0,
  );
}
