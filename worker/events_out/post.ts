import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { DeliveryFailure } from "./delivery_failure.ts";
import type { CheckedAddress } from "./safe_address.ts";

/** What is read of an answer's body, whose content means nothing. */
const MAX_ANSWER_BYTES = 64 * 1024;

const MAX_HEADER_BYTES = 16 * 1024;

export interface PostRequest {
  readonly url: URL;
  /** The only addresses that are connected to. */
  readonly addresses: readonly CheckedAddress[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** Certificates in PEM instead of the public ones. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The parts of an answer that decide what happens next. */
export interface Answer {
  readonly status: number;
  /** The header `Retry-After`; undefined if there is none. */
  readonly retryAfter: string | undefined;
}

/**
 * Posts to one of the addresses of a URL's host, on a connection of its own. TLS verifies the host of
 * the URL. Redirects are answers like any other, and are not followed.
 * @throws {DeliveryFailure} if there is no answer in time
 */
export async function post(options: PostRequest): Promise<Answer> {
  const { url, addresses, clock, timeoutMs, signal } = options;
  await assertPermitted(url, addresses);
  const done = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const body = new TextEncoder().encode(options.body);
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = open({
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (url.protocol === "https:" ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    method: "POST",
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headers: { ...options.headers, "content-length": body.length, connection: "close" },
    ...(options.ca !== undefined && { ca: options.ca }),
    lookup: (_host, lookupOptions, callback) => {
      if (typeof lookupOptions === "object" && lookupOptions.all) callback(null, [...addresses]);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    },
  });
  request.on("error", (error) => reject(connectionFailure(error)));
  request.on("response", (response) => {
    const answer = {
      status: response.statusCode ?? 0,
      retryAfter: response.headers["retry-after"],
    };
    let bytes = 0;
    response.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) resolve(answer);
    });
    response.on("end", () => resolve(answer));
    response.on("error", (error) => reject(connectionFailure(error)));
    // An answer that ends in the middle has its status all the same.
    response.on("aborted", () => resolve(answer));
  });
  request.end(body);
  const ended = AbortSignal.any([done.signal, signal]);
  sleepUnlessAborted(clock, timeoutMs, ended).then((late) =>
    reject(
      new DeliveryFailure(
        late ? `The receiver does not answer within ${timeoutMs} ms` : "The delivery was stopped",
      ),
    )
  );
  try {
    return await promise;
  } finally {
    done.abort();
    request.destroy();
  }
}

function connectionFailure(error: Error): DeliveryFailure {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return new DeliveryFailure(`The receiver cannot be reached: ${code}`, { cause: error });
}

/** Refuses what this process may not reach, because Deno's own error could not be caught. */
async function assertPermitted(url: URL, addresses: readonly CheckedAddress[]): Promise<void> {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  for (const { address, family } of addresses) {
    const host = family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
    const { state } = await Deno.permissions.query({ name: "net", host });
    if (state === "granted") continue;
    throw new DeliveryFailure(
      "This process may not reach the receiver: start 'deno task dev:cluster' in place of " +
        "'deno task dev'",
    );
  }
}
