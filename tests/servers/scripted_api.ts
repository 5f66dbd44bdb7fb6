/** The services that a sign-in needs, on loopback: who is accepted is up to the test. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { GetSignInResponseSchema, WhoAmIResponseSchema } from "@mpc/proto";
import { enveloped } from "../../api/web/envelope.ts";

export interface ScriptedApi extends AsyncDisposable {
  readonly url: string;
  /** The tokens of calls, in their order; undefined for calls without one. */
  readonly tokens: (string | undefined)[];
}

export interface ScriptedApiOptions {
  /** Who a caller with a token is; undefined refuses it. */
  readonly principalOf: (token: string) => string | undefined;
  readonly signIn?: MessageInitShape<typeof GetSignInResponseSchema>;
  /** Serves TLS, and takes callers whose certificate this one has signed for `CERTIFICATE`. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** What a client certificate is to `principalOf`, instead of a token. */
export const CERTIFICATE = "certificate";

/** Starts it. GetSignIn is open to everybody; WhoAmI and every other method need a token. */
export async function startScriptedApi(
  { principalOf, signIn = {}, tls }: ScriptedApiOptions,
): Promise<ScriptedApi> {
  const tokens: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const isJson = request.headers["content-type"] === "application/json";
    const hasCertificate = "authorized" in request.socket && request.socket.authorized === true;
    const [, token = hasCertificate ? CERTIFICATE : undefined] =
      /^Bearer (.*)$/.exec(request.headers.authorization ?? "") ?? [];
    const isOpen = request.url?.endsWith("/GetSignIn");
    if (!isOpen) tokens.push(token);
    const principal = token === undefined ? undefined : principalOf(token);
    const isRefused = !isOpen && principal === undefined;
    const message = "Cannot take the call: it has no valid credentials";
    if (isJson) {
      response.writeHead(isRefused ? 401 : 200, { "content-type": "application/json" });
      return void response.end(
        isRefused ? JSON.stringify({ code: "unauthenticated", message }) : "{}",
      );
    }
    response.setHeader("content-type", "application/grpc-web+proto");
    const send = <Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>) =>
      response.write(enveloped(0, toBinary(desc, create(desc, init))));
    if (isOpen) send(GetSignInResponseSchema, signIn);
    else if (!isRefused) send(WhoAmIResponseSchema, { principal: principal ?? "" });
    const trailers = isRefused
      ? `grpc-status: ${Code.Unauthenticated}\r\ngrpc-message: ${encodeURIComponent(message)}\r\n`
      : "grpc-status: 0\r\n";
    response.end(enveloped(0x80, new TextEncoder().encode(trailers)));
  };
  const server: Server = tls
    ? createTlsServer(
      { ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: false },
      answer,
    )
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
