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
    stream: async (method, signal, timeoutMs, header, input, values) => {
      // It may be sent twice, and can be read once.
      const requests = await readAll(input);
      let used: string | undefined;
      const open = (token: string | undefined) => {
        used = token;
        const replayed = replay(requests);
        return transport.stream(
          method,
          signal,
          timeoutMs,
          headers(header, token),
          replayed,
          values,
        );
      };
      const response = await withToken(server, credentials, open);
      return { ...response, message: refusedOnce(response.message, reopened) };

      /** The messages with another token; undefined if there is none. */
      async function reopened() {
        const other = used === undefined ? undefined : await credentials(used);
        return other === undefined || other === used ? undefined : (await open(other)).message;
      }
    },
  };
}

/** Like `Array.fromAsync`, which Node 20 does not have. */
async function readAll<T>(input: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const one of input) all.push(one);
  return all;
}

async function* replay<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/**
 * The messages of a stream. A refusal in the place of the first one begins the stream again, once:
 * servers may send headers before they refuse.
 */
async function* refusedOnce<T>(
  messages: AsyncIterable<T>,
  reopened: () => Promise<AsyncIterable<T> | undefined>,
): AsyncGenerator<T> {
  let isFirst = true;
  try {
    for await (const message of messages) {
      isFirst = false;
      yield message;
    }
  } catch (error) {
    const { Code, ConnectError } = await import("@connectrpc/connect");
    const isRefused = error instanceof ConnectError && error.code === Code.Unauthenticated;
    const again = isFirst && isRefused ? await reopened() : undefined;
    if (!again) throw error;
    yield* again;
  }
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
