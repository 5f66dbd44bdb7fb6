import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { createFetchHandler, type UniversalHandler } from "@connectrpc/connect/protocol";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { MpcError } from "@mpc/domain";
import { type Address, listenError } from "@mpc/process";
import { toApiError } from "../error_codes.ts";
import type { Door } from "../grpc/serve_grpc.ts";
import type { Route } from "../route.ts";
import { readableOnes } from "./readable_ones.ts";
import { readableRequest } from "./readable_request.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { isPlainGrpcWeb, unaryGrpcWeb } from "./unary_grpc_web.ts";
import { markedError } from "./unreadable_mark.ts";

export interface WebLimits {
  readonly maxBodyBytes: number;
}

const DEFAULT_WEB_LIMITS: WebLimits = { maxBodyBytes: 4 * 1024 * 1024 };

/** Serves routes to gRPC-Web, Connect and JSON clients, over HTTP/1.1 and 2, through any proxy. */
export function serveWeb(options: {
  readonly routes: readonly Route[];
  readonly listen: Address;
  readonly limits?: Partial<WebLimits>;
  /** Whether the process can do its work; `/readyz` tells. */
  readonly ready: () => boolean;
}): Door {
  const limits = { ...DEFAULT_WEB_LIMITS, ...options.limits };
  const shutdown = new AbortController();
  const router = createConnectRouter({
    readMaxBytes: limits.maxBodyBytes,
    maxTimeoutMs: 24 * 3_600_000,
  });
  for (const { service, implementation } of options.routes) {
    for (const method of service.methods) {
      const implemented = implementation[method.localName];
      if (!implemented) continue;
      // Only streams are cut off at once: a unary call is given the time to finish.
      const cutOff = method.methodKind !== "unary" && { shutdownSignal: shutdown.signal };
      router.rpc<DescMethod>(method, refusing(method, implemented), { ...cutOff });
    }
  }
  const handlers = new Map(router.handlers.map((handler) => [
    handler.requestPath,
    withPlainCase(handler, options.routes, limits.maxBodyBytes),
  ]));
  const handle = (request: Request): Response | Promise<Response> => {
    const start = request.url.indexOf("/", 8);
    const query = request.url.indexOf("?", start);
    const path = request.url.slice(start, query < 0 ? undefined : query);
    const handler = handlers.get(path);
    if (handler) return handler(request);
    if (path === "/healthz") return new Response("ok\n");
    if (path === "/readyz") {
      return options.ready() && !shutdown.signal.aborted
        ? new Response("ready\n")
        : new Response("not ready\n", { status: 503 });
    }
    return notFound(path);
  };
  try {
    const server = Deno.serve({
      hostname: options.listen.host,
      port: options.listen.port,
      onListen: () => {},
    }, handle);
    return {
      address: { host: options.listen.host, port: server.addr.port },
      async close(graceMs) {
        shutdown.abort(new ConnectError("the server is shutting down", Code.Unavailable));
        const abandoned = Promise.withResolvers<void>();
        const timer = setTimeout(abandoned.resolve, graceMs);
        await Promise.race([server.shutdown(), abandoned.promise]);
        clearTimeout(timer);
      },
    };
  } catch (error) {
    throw listenError(error, options.listen);
  }
}

type Implementation = Route["implementation"][string];

/** An implementation that is not asked what could not be read. */
function refusing(
  { methodKind }: DescMethod,
  implemented: NonNullable<Implementation>,
): NonNullable<Implementation> {
  const bare = implemented as (request: unknown, context: HandlerContext) => unknown;
  const asks = methodKind === "bidi_streaming" || methodKind === "client_streaming";
  const streams = methodKind === "bidi_streaming" || methodKind === "server_streaming";
  return ((request: AsyncIterable<unknown>, context: HandlerContext) => {
    const error = markedError(context.requestHeader);
    if (error) throw error;
    const answer = bare(asks ? readableOnes(request) : request, context);
    return streams ? untilUnread(answer as AsyncIterable<unknown>) : answer;
  }) as NonNullable<Implementation>;
}

/**
 * A stream of answers as it is. Connect throws into one whose reader has gone, whatever it was told
 * of that, which would look like a fault of the method; so the method's own stream is just left.
 */
async function* untilUnread(answers: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const answer of answers) yield answer;
}

/** Answers the plain case directly, and everything else by Connect's general handler. */
function withPlainCase(
  handler: UniversalHandler,
  routes: readonly Route[],
  maxBytes: number,
): (request: Request) => Promise<Response> {
  const answer = createFetchHandler(handler);
  const { method, service } = handler;
  const general = async (request: Request) => {
    const response = await answer(await readableRequest(method, request, maxBytes));
    return explained(request, response);
  };
  const route = routes.find((route) => route.service.typeName === service.typeName);
  const implementation = route && Reflect.get(route.implementation, method.localName);
  if (method.methodKind !== "unary" || typeof implementation !== "function") return general;
  const plain = unaryGrpcWeb(method, implementation);
  return (request) => isPlainGrpcWeb(request, maxBytes) ? plain(request) : general(request);
}

/** Connect refuses what is no call of any protocol by a bare status; here it says what is wanted. */
function explained(request: Request, response: Response): Response {
  const { status, headers } = response;
  const type = request.headers.get("content-type");
  const wanted = status === 405
    ? `its method is ${request.method}, must be POST`
    : status === 415
    ? `its content-type is ${type ? `'${type}'` : "not set"}, must be 'application/json'`
    : undefined;
  if (!wanted) return response;
  const error = unreadableRequest("NO_CALL", wanted);
  return Response.json(errorToJson(error, undefined), { status, headers });
}

function notFound(path: string): Response {
  const message = path === "/"
    ? "This is the API of the mini platform control plane; use mpctl, or POST to /mpc.v1.EnvironmentService/ListEnvironments"
    : `There is nothing at '${path}'`;
  const error = new MpcError("UNIMPLEMENTED", { reason: "UNKNOWN_METHOD", message });
  return Response.json(errorToJson(toApiError(error), undefined), { status: 404 });
}
