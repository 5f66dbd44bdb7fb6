import { baseUrlOf, type ConnectOptions, isGrpc, REQUEST_TIMEOUT_MS } from "./connect_options.ts";

/**
 * Calls a unary method with the API's JSON. A program that only reads and prints needs no message
 * classes, and starts in half the time without them. Uses gRPC for `grpc://` addresses.
 * @param method such as `mpc.v1.EnvironmentService/ListEnvironments`
 * @throws {ConnectError}
 */
export async function callJson<Answer>(
  { server, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ConnectOptions,
  method: string,
  request: object,
): Promise<Answer> {
  if (isGrpc(server)) {
    const { callJsonByGrpc } = await import("./call_json_by_grpc.ts");
    return await callJsonByGrpc(server, requestTimeoutMs, method, request) as Answer;
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), requestTimeoutMs);
  try {
    const response = await fetch(`${baseUrlOf(server)}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-protocol-version": "1" },
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
  }
}
