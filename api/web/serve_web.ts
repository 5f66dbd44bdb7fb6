import { createRegistry, type Registry } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { getLogger } from "@logtape/logtape";
import { type Address, plainListener, type WebListener } from "@mpc/process";
import { DEFAULT_PEER_LIMITS, type PeerLimits, Peers } from "../connections/peers.ts";
import type { Door } from "../grpc/serve_grpc.ts";
import { ErrorInfoSchema } from "@mpc/proto";
import { filesOf } from "../files_of.ts";
import type { Route } from "../route.ts";
import { STALL_MS } from "../streams/deliver.ts";
import { DeliveryPace } from "../streams/delivery_pace.ts";
import { answerCall, callOptions, implementationOf } from "./answer_call.ts";
import { Cors } from "./cors.ts";
import { HEAD_BYTES } from "./envelope.ts";
import { gzip, MIN_GZIP_BYTES } from "./gzip.ts";
import { isOwnOrigin, ownHosts } from "./hosts.ts";
import { openApi, OPENAPI_PATH } from "./openapi.ts";
import { BodyReader } from "./read_body.ts";
import { isGrpcWeb } from "./read_request.ts";
import { isForPages, type Pages, pagesHandler } from "./pages.ts";
import * as refusals from "./refusals.ts";
import { jsonStreams, serverStream, type StreamOptions } from "./server_stream.ts";
import { failedGrpcWeb, isPlainGrpcWeb, unaryGrpcWeb } from "./unary_grpc_web.ts";
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
  WebConnections,
} from "./web_connections.ts";
import type { WebCall } from "./web_call.ts";

const log = getLogger(["mpc", "web"]);

export interface WebLimits extends ConnectionLimits, PeerLimits {
  readonly maxBodyBytes: number;
  /** How long the reader of a stream may leave its messages unread. */
  readonly stallTimeoutMs: number;
}

const DEFAULT_WEB_LIMITS: WebLimits = {
  ...DEFAULT_PEER_LIMITS,
  ...DEFAULT_CONNECTION_LIMITS,
  maxBodyBytes: 4 * 1024 * 1024,
  stallTimeoutMs: STALL_MS,
};

export interface WebOptions {
  readonly routes: readonly Route[];
  readonly listen: Address;
  /** Accepts connections at `listen`; by default without TLS. */
  readonly listener?: WebListener;
  readonly limits?: Partial<WebLimits>;
  /** Connections of all doors; by default this door has its own. */
  readonly peers?: Peers;
  /** The pace of deliveries to streams; by default this door's own. */
  readonly pace?: DeliveryPace;
  /** Hosts that requests may name, besides loopback names and the address listened on. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages elsewhere that may call this door. */
  readonly corsOrigins?: readonly string[];
  /** Where gRPC is served. */
  readonly grpcAddress?: Address;
  /** Answers `/readyz`; by default it reports that this door is open. */
  readonly readyz?: () => Promise<Response>;
  /** Answers `/metrics`; by default there are none. */
  readonly metrics?: (request: Request, source: string) => Promise<Response>;
  /** Answers requests of browsers; by default there are no pages. */
  readonly pages?: Pages;
}

type CallHandler = (request: Request, call: WebCall) => Promise<Response>;

/** Serves routes to gRPC-Web, Connect and JSON clients, over HTTP/1.1 and 2, through any proxy. */
export function serveWeb(options: WebOptions): Door {
  const limits = { ...DEFAULT_WEB_LIMITS, ...options.limits };
  const shutdown = new AbortController();
  const bodies = new BodyReader({
    timeoutMs: limits.bodyTimeoutMs,
    maxBytes: limits.maxBodyBytes + HEAD_BYTES,
  });
  const handle = webHandler(
    options,
    callHandlers(options.routes, limits, bodies, {
      shutdown: shutdown.signal,
      pace: options.pace ?? new DeliveryPace(),
      stallMs: limits.stallTimeoutMs,
    }),
    options.pages && pagesHandler(options.pages, bodies),
  );
  const { listener = plainListener(options.listen) } = options;
  const connections = new WebConnections({
    listener,
    peers: options.peers ?? new Peers(limits),
    limits,
    handle,
    answers: { busy: refusals.tooManyCalls, closing: refusals.shuttingDown },
    onSweep: () => bodies.sweep(),
  });
  return {
    address: { host: options.listen.host, port: listener.port },
    async close(graceMs) {
      shutdown.abort(new ConnectError("the server is shutting down", Code.Unavailable));
      await connections.close(graceMs);
    },
  };
}

/** Dispatches requests, and refuses requests that cannot become calls. */
function webHandler(
  { listen, allowedHosts, corsOrigins = [], grpcAddress, readyz, metrics }: WebOptions,
  handlers: ReadonlyMap<string, CallHandler>,
  pages: CallHandler | undefined,
): (request: Request, call: WebCall) => Response | Promise<Response> {
  const isOwn = ownHosts(listen.host, allowedHosts);
  const cors = new Cors(corsOrigins);
  const answer = (request: Request, call: WebCall) => {
    const { url, headers } = request;
    // Clients of HTTP/2 name the scheme themselves.
    const host = url.indexOf("://") + "://".length;
    const start = url.indexOf("/", host);
    const query = url.indexOf("?", start);
    const path = url.slice(start, query < 0 ? undefined : query);
    // Probes may name the host by an address that the server does not know; the answer reveals
    // nothing.
    if (path === "/healthz") return new Response("ok\n");
    if (path === "/readyz") return readyz?.() ?? new Response("ready\n");
    const authority = url.slice(host, start);
    if (!isOwn(authority)) return refusals.unknownHost(authority);
    const origin = headers.get("origin");
    if (origin !== null && cors.allows(origin)) {
      return cors.preflight(request, origin) ?? readable(answerTo(request, call, path), origin);
    }
    if (origin !== null && !isOwnOrigin(origin, isOwn)) return refusals.unknownOrigin(origin);
    return answerTo(request, call, path);
  };
  const readable = async (response: Response | Promise<Response>, origin: string) =>
    cors.readable(await response, origin);
  const answerTo = (request: Request, call: WebCall, path: string) => {
    const { headers } = request;
    if (path === OPENAPI_PATH) return openApi(request);
    if (path === "/metrics" && metrics) return metrics(request, call.source);
    if (isGrpc(headers.get("content-type") ?? "")) return refusals.wrongDoor(grpcAddress);
    // Only HTTP/2 has requests without this header, and many of them may wait for their responses.
    if (headers.get("host") === null && !call.untilSent(0)) return refusals.tooManyCalls();
    const handler = handlers.get(path);
    if (handler) return handler(request, call);
    if (pages && isForPages(request, path)) return pages(request, call);
    const type = headers.get("content-type") ?? "";
    return isGrpcWeb(type)
      ? failedGrpcWeb(refusals.unknownMethod(path), undefined, type)
      : refusals.unknownPath(path);
  };
  return (request, call) =>
    request.method === "POST" ? answer(request, call) : uncached(answer(request, call));
}

/**
 * What is read is true when it is read: no cache may keep it. Without the header a cache may keep
 * even some refusals (RFC 9110, section 15.1).
 */
async function uncached(answer: Response | Promise<Response>): Promise<Response> {
  const response = await answer;
  // Only files whose content never changes say otherwise.
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  return response;
}

const isGrpc = (type: string): boolean => /^application\/grpc/i.test(type) && !isGrpcWeb(type);

/** The handler of each method's calls, by path. */
function callHandlers(
  routes: readonly Route[],
  limits: WebLimits,
  bodies: BodyReader,
  lifetime: Omit<StreamOptions, "json">,
): ReadonlyMap<string, CallHandler> {
  const registry = typesOf(routes);
  const streams = { ...lifetime, json: jsonStreams(registry) };
  const router = createConnectRouter({
    ...callOptions,
    jsonOptions: { registry },
    grpc: false,
    readMaxBytes: limits.maxBodyBytes,
    acceptCompression: [gzip],
    compressMinBytes: MIN_GZIP_BYTES,
  });
  for (const route of routes) addRoute(router, route, streams.shutdown);
  return new Map(router.handlers.map((handler) => [
    handler.requestPath,
    withPlainCase(handler, routes, bodies, limits.maxBodyBytes, streams),
  ]));
}

/** Every type that an `Any` in a response may contain: of all services, and of error details. */
function typesOf(routes: readonly Route[]): Registry {
  const files = [...routes.map(({ service }) => service.file), ErrorInfoSchema.file];
  return createRegistry(...filesOf(files));
}

function addRoute(router: ConnectRouter, route: Route, shutdown: AbortSignal): void {
  for (const method of route.service.methods) {
    const implemented = implementationOf(method, route);
    // Only streams are cut off at once; unary calls get time to finish.
    const cutOff = method.methodKind !== "unary" && { shutdownSignal: shutdown };
    if (implemented) router.rpc(method, implemented, { ...cutOff });
  }
}

/** Answers the plain case directly, and everything else with Connect's general handler. */
function withPlainCase(
  handler: UniversalHandler,
  routes: readonly Route[],
  bodies: BodyReader,
  maxBytes: number,
  streams: StreamOptions,
): CallHandler {
  const { method, service } = handler;
  const general = logged((request, call) => answerCall(handler, request, call, bodies));
  const route = routes.find((route) => route.service.typeName === service.typeName);
  const implementation = route && Reflect.get(route.implementation, method.localName);
  if (method.methodKind === "server_streaming" && typeof implementation === "function") {
    const stream = serverStream(method, implementation, { bodies, ...streams });
    return logged((request, call) => stream(request, call) ?? general(request, call));
  }
  if (method.methodKind !== "unary" || typeof implementation !== "function") return general;
  const plain = unaryGrpcWeb(method, implementation, bodies);
  return (request, call) =>
    isPlainGrpcWeb(request, maxBytes) ? plain(request, call) : general(request, call);
}

/**
 * Answers and logs what a handler throws; Deno would print it, bypassing the logger. The plain case
 * answers all errors itself.
 */
function logged(handler: CallHandler): CallHandler {
  return async (request, call) => {
    try {
      return await handler(request, call);
    } catch (error) {
      if (error instanceof ConnectError) return refusals.refusal(error);
      log.error("Internal error in {url}: {error}", { url: request.url, error });
      return refusals.internalError();
    }
  };
}
