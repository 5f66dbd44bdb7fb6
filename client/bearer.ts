/**
 * Tokens of calls, and over which connections they may go. Loads Connect for errors only, since
 * calls in JSON do without it.
 */
import type { Transport } from "@connectrpc/connect";
import { type Credentials, isPrivate } from "./connect_options.ts";

/**
 * Makes a call with the token of the credentials, and once more if the server refuses it and there
 * is another.
 * @throws {ConnectError} FAILED_PRECONDITION if the token would cross a network unencrypted; nothing
 *   is sent then
 */
export async function withToken<T>(
  server: URL,
  credentials: Credentials,
  call: (token: string | undefined) => Promise<T>,
): Promise<T> {
  const token = await credentials();
  if (token !== undefined && !isPrivate(server)) throw await notEncrypted(server);
  try {
    return await call(token);
  } catch (error) {
    const { Code, ConnectError } = await import("@connectrpc/connect");
    const isRefused = error instanceof ConnectError && error.code === Code.Unauthenticated;
    const other = isRefused && token !== undefined ? await credentials(token) : undefined;
    if (other === undefined || other === token) throw error;
    return await call(other);
  }
}

/** A transport whose calls carry a bearer token (RFC 6750). */
export function withBearer(
  transport: Transport,
  server: URL,
  credentials: Credentials,
): Transport {
  const headers = (header: HeadersInit | undefined, token: string | undefined) => {
    const all = new Headers(header);
    if (token !== undefined) all.set("authorization", `Bearer ${token}`);
    return all;
  };
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      withToken(
        server,
        credentials,
        (token) =>
          transport.unary(method, signal, timeoutMs, headers(header, token), input, values),
      ),
    stream: (method, signal, timeoutMs, header, input, values) =>
      withToken(
        server,
        credentials,
        (token) =>
          transport.stream(method, signal, timeoutMs, headers(header, token), input, values),
      ),
  };
}

async function notEncrypted({ protocol, host }: URL): Promise<Error> {
  const { Code, ConnectError } = await import("@connectrpc/connect");
  const encrypted = protocol.replace(":", "s://");
  return new ConnectError(
    `Cannot send a token to ${protocol}//${host}: the connection is not encrypted, must be ` +
      `${encrypted} or lead to a loopback address, for instance through a tunnel`,
    Code.FailedPrecondition,
  );
}
