import { withToken } from "./bearer.ts";
import { ended } from "./call_tracer.ts";
import {
  baseUrlOf,
  type ConnectOptions,
  isEncrypted,
  isGrpc,
  REQUEST_TIMEOUT_MS,
} from "./connect_options.ts";

/**
 * Calls a unary method with the API's JSON. A program that only reads and prints needs no message
 * classes, and starts in half the time without them. Uses gRPC for `grpc://` addresses.
 * @param method such as `mpc.v1.EnvironmentService/ListEnvironments`
 * @throws {ConnectError}
 */
export async function callJson<Answer>(
  options: ConnectOptions,
  method: string,
  request: object,
): Promise<Answer> {
  const { server, credentials } = options;
  if (!credentials) return await callTraced(options, {}, method, request) as Answer;
  return await withToken(server, credentials, (token) => {
    const header = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return callTraced(options, header, method, request);
  }) as Answer;
}

async function callTraced(
  options: ConnectOptions,
  header: Readonly<Record<string, string>>,
  method: string,
  request: object,
): Promise<unknown> {
  const span = options.tracer?.begin(method, isGrpc(options.server) ? "grpc" : "fetch");
  if (!span) return await callOnce(options, header, method, request);
  return await ended(span, async () => {
    const headers = { ...header, ...span.headers };
    const answer = await span.within(() => callOnce(options, headers, method, request));
    span.end();
    return answer;
  });
}

async function callOnce(
  { server, tls, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ConnectOptions,
  header: Readonly<Record<string, string>>,
  method: string,
  request: object,
): Promise<unknown> {
  if (isGrpc(server)) {
    const { callJsonByGrpc } = await import("./call_json_by_grpc.ts");
    const call = { server, tls, header, timeoutMs: requestTimeoutMs };
    return await callJsonByGrpc(call, method, request);
  }
  const secure = tls && isEncrypted(server)
    ? (await import("./tls_fetch.ts")).createTlsFetch(tls)
    : undefined;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), requestTimeoutMs);
  try {
    const response = await (secure?.fetch ?? fetch)(`${baseUrlOf(server)}/${method}`, {
      method: "POST",
      // A redirect could take the token elsewhere.
      redirect: "manual",
      headers: { "content-type": "application/json", "connect-protocol-version": "1", ...header },
      body: JSON.stringify(request),
      signal: stop.signal,
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    if (response.ok && isJson) return JSON.parse(text);
    const { errorOfAnswer } = await import("./json_error.ts");
    throw errorOfAnswer(response.status, text);
  } catch (error) {
    const { errorOfCall } = await import("./json_error.ts");
    throw errorOfCall(error, stop.signal.aborted);
  } finally {
    clearTimeout(timer);
    secure?.close();
  }
}
