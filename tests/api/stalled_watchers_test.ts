/** Watchers that stop reading, on real sockets, at both doors. */
import assert from "node:assert/strict";
import { fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { create, type MessageShape } from "@bufbuild/protobuf";
import { Code, createClient, decodeBinaryHeader } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, type Metadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { type Route, route, serveGrpc, serveWeb } from "@mpc/api";
import { identify, intercept } from "@mpc/process";
import {
  ErrorInfoSchema,
  EventService,
  StatusSchema,
  WatchEventsRequestSchema,
  WatchEventsResponseSchema,
} from "@mpc/proto";
import { measureCalls, Metrics } from "@mpc/telemetry";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { DEFAULT_PEER_LIMITS, Peers } from "../../api/connections/peers.ts";
import { eventService } from "../../api/event_service.ts";
import { mapErrors } from "../../api/interceptors/map_errors.ts";
import { encodeResumeToken } from "../../services/events/resume_token.ts";
import { anEvent } from "../fakes/documents.ts";
import { Platform } from "../fakes/platform.ts";
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

const LISTEN = { host: "127.0.0.1", port: 0 };
const PATH = "/mpc.v1.EventService/WatchEvents";
const request = create(WatchEventsRequestSchema, { skipExisting: true });

/** More than the sockets between a door and its reader can hold. */
const EVENTS = 400;
const LARGE = "x".repeat(50_000);

type Answer = MessageShape<typeof WatchEventsResponseSchema>;

/** How a stream ended: the code, the reason and the metadata of its error. */
interface End {
  readonly code: number;
  readonly reason: string | undefined;
  readonly token: string | undefined;
}

/** A watch whose messages are read only when `read` is called. */
interface StalledWatch {
  read(): Promise<{ readonly answers: readonly Answer[]; readonly end: End }>;
}

function watchByGrpc(port: number): Promise<StalledWatch> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeServerStreamRequest(
    PATH,
    (message: typeof request) => Buffer.from(toBinary(WatchEventsRequestSchema, message)),
    (bytes: Buffer) => fromBinary(WatchEventsResponseSchema, bytes),
    request,
  );
  const begun = Promise.withResolvers<StalledWatch>();
  call.once("data", () => {
    call.pause();
    begun.resolve({
      async read() {
        const answers: Answer[] = [];
        const ended = Promise.withResolvers<{ code: number; metadata: Metadata }>();
        call.on("error", () => {});
        call.on("status", ended.resolve);
        call.on("data", (answer: Answer) => answers.push(answer));
        call.resume();
        const { code, metadata } = await ended.promise;
        client.close();
        const [details] = metadata.get("grpc-status-details-bin");
        assert.ok(details instanceof Buffer);
        const status = fromBinary(StatusSchema, details);
        const info = anyUnpack(status.details[0]!, ErrorInfoSchema);
        const token = info?.metadata["resume_token"];
        return { answers, end: { code, reason: info?.reason, token } };
      },
    });
  });
  return begun.promise;
}

/** @param type the content type of the messages */
async function watchByWeb(port: number, type: string): Promise<StalledWatch> {
  const json = type.endsWith("json");
  const message = json
    ? new TextEncoder().encode(toJsonString(WatchEventsRequestSchema, request))
    : toBinary(WatchEventsRequestSchema, request);
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(1, message.length);
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    method: "POST",
    headers: { "content-type": type },
    body: join(head, message),
  });
  assert.equal(response.headers.get("content-type"), type);
  return {
    async read() {
      const bytes = new Uint8Array(await response.arrayBuffer());
      const answers: Answer[] = [];
      for (let at = 0; at < bytes.length;) {
        const length = new DataView(bytes.buffer).getUint32(at + 1);
        const part = bytes.subarray(at + 5, at + 5 + length);
        const text = () => new TextDecoder().decode(part);
        if (bytes[at] === 2) {
          const { error } = JSON.parse(text());
          const info = error.details[0].debug;
          const code = error.code === "resource_exhausted" ? Code.ResourceExhausted : -1;
          return { answers, end: { code, reason: info.reason, token: info.metadata.resume_token } };
        }
        if (bytes[at] === 0x80) {
          const details = /grpc-status-details-bin: (\S+)/.exec(text())?.[1] ?? "";
          const status = decodeBinaryHeader(details, StatusSchema);
          const info = anyUnpack(status.details[0]!, ErrorInfoSchema);
          const token = info?.metadata["resume_token"];
          return { answers, end: { code: status.code, reason: info?.reason, token } };
        }
        answers.push(
          json
            ? fromJsonString(WatchEventsResponseSchema, text())
            : fromBinary(WatchEventsResponseSchema, part),
        );
        at += 5 + length;
      }
      assert.fail("the stream has no end");
    },
  };
}

/** Says when a connection has ended. */
class ObservedPeers extends Peers {
  readonly gone = Promise.withResolvers<void>();

  override disconnect(peer: Parameters<Peers["disconnect"]>[0]): void {
    super.disconnect(peer);
    this.gone.resolve();
  }
}

interface World {
  readonly platform: Platform;
  readonly grpcPort: number;
  readonly webPort: number;
  readonly peers: ObservedPeers;
  /** Resolves when a watch that was cut off has ended in the server. */
  readonly cutOff: Promise<void>;
  readonly metrics: Metrics;
}

async function withDoors(stallTimeoutMs: number, use: (world: World) => Promise<void>) {
  const platform = await Platform.start();
  const cutOff = Promise.withResolvers<void>();
  const metrics = new Metrics({ version: "", process: "api" });
  const bare = route(EventService, eventService(platform.deps));
  const served: Route = {
    ...bare,
    implementation: intercept(EventService, bare.implementation, [
      {
        async around(call, next) {
          await next(call).finally(() => {
            if (call.context.signal.reason?.code === Code.ResourceExhausted) cutOff.resolve();
          });
        },
      },
      measureCalls(metrics),
      mapErrors(() => "id"),
      identify(() => ({ ...platform.caller, kind: "user" })),
    ]),
  };
  const peers = new ObservedPeers(DEFAULT_PEER_LIMITS);
  const options = { routes: [served], listen: LISTEN, limits: { stallTimeoutMs } };
  const grpc = await serveGrpc(options);
  const web = serveWeb({ ...options, peers });
  try {
    await use({
      platform,
      grpcPort: grpc.address.port,
      webPort: web.address.port,
      peers,
      cutOff: cutOff.promise,
      metrics,
    });
  } finally {
    await Promise.all([grpc.close(0), web.close(0)]);
    await platform.close();
    metrics[Symbol.dispose]();
  }
}

function test(name: string, run: () => Promise<void>): void {
  // Clients keep connections in pools of their own.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn: run });
}

async function append({ store }: Platform): Promise<void> {
  for (let n = 0; n < EVENTS; n++) await store.events.append([anEvent(`${n} ${LARGE}`)]);
}

const numbers = (answers: readonly Answer[]) =>
  answers.flatMap(({ event }) => event ? [parseInt(event.message)] : []);

/** The numbers of the events after a token, as a reader that keeps up receives them. */
async function readOn(port: number, resumeToken: string, count: number): Promise<number[]> {
  const transport = createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${port}` });
  const seen: number[] = [];
  const stop = new AbortController();
  const client = createClient(EventService, transport);
  const events = client.watchEvents({ resumeToken }, { signal: stop.signal });
  for await (const answer of events) {
    seen.push(...numbers([answer]));
    if (seen.length === count) break;
  }
  stop.abort();
  return seen;
}

/** A request, in its envelope, for the events that follow, however late it is read. */
async function requestFromHere({ store }: Platform): Promise<Uint8Array> {
  const resumeToken = encodeResumeToken(await store.events.head());
  const message = toBinary(
    WatchEventsRequestSchema,
    create(WatchEventsRequestSchema, { resumeToken }),
  );
  return join(Uint8Array.of(0, 0, 0, 0, message.length), message);
}

const range = (from: number) => Array.from({ length: EVENTS - from }, (_, n) => from + n);

const DOORS: Readonly<Record<string, (world: World) => Promise<StalledWatch>>> = {
  "gRPC": ({ grpcPort }) => watchByGrpc(grpcPort),
  "gRPC-Web": ({ webPort }) => watchByWeb(webPort, "application/grpc-web+proto"),
  "gRPC-Web with JSON": ({ webPort }) => watchByWeb(webPort, "application/grpc-web+json"),
  "Connect": ({ webPort }) => watchByWeb(webPort, "application/connect+proto"),
  "Connect with JSON": ({ webPort }) => watchByWeb(webPort, "application/connect+json"),
};

for (const [door, watch] of Object.entries(DOORS)) {
  test(`${door}: a watcher that does not read is cut off with a token that resumes exactly there`, () =>
    withDoors(2_000, async (world) => {
      const { platform, webPort, cutOff, metrics } = world;
      const stalled = await watch(world);
      const begin = encodeResumeToken(await platform.store.events.head());
      const other = readOn(webPort, begin, EVENTS);
      await append(platform);
      assert.deepEqual(await other, range(0), "another watcher receives each event once, in order");
      await cutOff;
      const method = `service="mpc.v1.EventService",method="WatchEvents"`;
      const { text } = await metrics.page();
      assert.match(text, new RegExp(`^mpc_watchers_dropped_total\\{${method}\\} 1$`, "m"));
      assert.match(text, new RegExp(`^mpc_watchers\\{${method}\\} 0$`, "m"));
      const { answers, end } = await stalled.read();
      const seen = numbers(answers);
      assert.ok(seen.length > 0 && seen.length < EVENTS, `${seen.length} events were written`);
      assert.deepEqual(seen, range(0).slice(0, seen.length));
      const token = answers.at(-1)?.resumeToken;
      assert.deepEqual(end, { code: Code.ResourceExhausted, reason: "READER_TOO_SLOW", token });
      const rest = await readOn(webPort, end.token ?? "", EVENTS - seen.length);
      assert.deepEqual(rest, range(seen.length));
    }));
}

test("gRPC: the stream of a watcher that reads nothing after it was cut off is reset", () =>
  withDoors(300, async ({ platform, grpcPort }) => {
    const message = await requestFromHere(platform);
    const bytes = join(
      PREFACE,
      frame(FRAME.SETTINGS, 0, 0),
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, headerBlock(callHeaders(PATH))),
      frame(
        FRAME.DATA,
        FLAG.END_STREAM,
        1,
        message,
      ),
    );
    // It takes bytes from its socket, but opens no window: so HTTP/2 says that it does not read.
    const { socket } = await rawPeer(grpcPort, bytes);
    const reset = frame(FRAME.RST_STREAM, 0, 1, Uint8Array.of(0, 0, 0, 11));
    const isReset = Promise.withResolvers<void>();
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.includes(reset)) isReset.resolve();
    });
    await append(platform);
    await isReset.promise;
    socket.destroy();
  }));

test("web: the connection of a watcher that reads nothing after it was cut off is closed", () =>
  withDoors(300, async ({ platform, webPort, peers }) => {
    const message = await requestFromHere(platform);
    const { socket } = await rawPeer(
      webPort,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n` +
        `Content-Type: application/grpc-web+proto\r\nContent-Length: ${message.length}\r\n\r\n`,
    );
    socket.pause();
    socket.write(message);
    await append(platform);
    await peers.gone.promise;
    socket.destroy();
  }));
