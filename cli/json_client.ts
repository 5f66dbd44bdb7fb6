import type { CommandContext } from "./context.ts";

/**
 * Calls a method with the API's JSON: what only reads and prints needs no messages, and without
 * protobuf mpctl starts in half the time. By gRPC for `grpc://` addresses.
 * @param method such as `mpc.v1.EnvironmentService/ListEnvironments`
 * @throws {ConnectError}
 */
export async function callJson<Answer>(
  { config }: Pick<CommandContext, "config">,
  method: string,
  request: object,
): Promise<Answer> {
  const { server, requestTimeoutMs } = config;
  if (server.protocol.startsWith("grpc")) {
    const { callJsonByGrpc } = await import("./json_by_grpc.ts");
    return await callJsonByGrpc(config, method, request) as Answer;
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), requestTimeoutMs);
  try {
    const response = await fetch(`${server.href.replace(/\/$/, "")}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-protocol-version": "1" },
      body: JSON.stringify(request),
      signal: stop.signal,
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    if (response.ok && isJson) return JSON.parse(text);
    const { refused } = await import("./json_error.ts");
    throw refused(text);
  } catch (error) {
    const { failed } = await import("./json_error.ts");
    throw failed(error, stop.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
}
