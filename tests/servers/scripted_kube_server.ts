import { join } from "node:path";
import { systemClock } from "@mpc/process";
import type { Clock } from "@mpc/services";
import { NAMESPACE } from "../../worker/providers/kubernetes/client/kinds.ts";
import { DEFAULT_LIMITS } from "../../worker/providers/kubernetes/client/requester.ts";
import { type EndedRequest, HttpKubeClient } from "../../worker/providers/kubernetes/mod.ts";
import { createKubeAuthority } from "./kube_authority.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { withFolder } from "./with_folder.ts";

/** The response of an API server to each request; the first request has number 1. */
export type Handler = (request: Request, call: number) => Response | Promise<Response>;

/** The authority that signs the certificates of these servers, and that they trust. */
export const authority = await createKubeAuthority();

/** The certificate of a user whom the servers accept. */
export const ann = await authority.user({ name: "ann" });

/** Options of a call that is never aborted. */
export const call = () => ({ signal: new AbortController().signal });

/** The object that tests read, and its response. */
export const DEV = { ...NAMESPACE, name: "dev" };
export const dev = { apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } };

/** An error response of an API server. */
export const status = (code: number, more: object = {}, headers: HeadersInit = {}) =>
  Response.json({ kind: "Status", code, ...more }, { status: code, headers });

/** A stream that sends these texts and then stays open. */
export function stream(...texts: readonly string[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const text of texts) controller.enqueue(encoder.encode(text));
      },
    }),
  );
}

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

interface ClientOptions {
  readonly timeoutMs?: number;
  /** The system's by default. */
  readonly clock?: Clock;
  readonly onRequest?: (request: EndedRequest) => void;
}

/** A scripted server, and clients of it. */
export interface World {
  readonly client: HttpKubeClient;
  /** A client with a timeout of 200 ms. */
  readonly impatient: HttpKubeClient;
  readonly url: string;
  readonly folder: string;
  /** Of the server, with the credentials of a user whom it accepts. */
  readonly config: string;
  /** The requests so far. */
  readonly requests: Asked[];
  /** A client with another kubeconfig. */
  clientOf(config: object | string, context?: string, options?: ClientOptions): HttpKubeClient;
}

async function withServer(
  handler: Handler,
  folder: string,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const requests: Asked[] = [];
  const { cert, key } = await authority.server();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    (request) => {
      const authorization = request.headers.get("authorization");
      requests.push({ url: request.url, authorization });
      return handler(request, requests.length);
    },
  );
  const url = `https://127.0.0.1:${server.addr.port}`;
  const clients: HttpKubeClient[] = [];
  let configs = 0;
  const clientOf = (config: object | string, context?: string, options: ClientOptions = {}) => {
    const { timeoutMs = 30_000, clock = systemClock, onRequest } = options;
    const path = join(folder, `${configs++}.kubeconfig`);
    Deno.writeTextFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
    const client = new HttpKubeClient({
      access: { cluster: "east", kubeconfig: path, context: context ?? null },
      ...{ clock, onRequest },
      limits: { ...DEFAULT_LIMITS, requestTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    });
    clients.push(client);
    return client;
  };
  const config = kubeconfig({ server: url, ca: authority.cert, user: "ann", certificate: ann });
  const [client, impatient] = [clientOf(config), clientOf(config, undefined, { timeoutMs: 200 })];
  try {
    await use({ client, impatient, url, folder, requests, clientOf, config });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.shutdown();
  }
}

/** Tests clients with an API server whose responses are scripted. */
export function serverTest(
  name: string,
  handler: Handler,
  use: (world: World) => Promise<void>,
): void {
  Deno.test(name, () => withFolder((folder) => withServer(handler, folder, use)));
}
