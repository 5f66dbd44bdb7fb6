import https from "node:https";
import { Readable } from "node:stream";

/** Certificates and keys for TLS, each in PEM. */
export interface TlsFiles {
  /** The only authorities that may have signed the server's certificate; by default the usual ones. */
  readonly ca?: string | undefined;
  /** The client's certificate, with its chain. */
  readonly certificate?: string | undefined;
  /** The key of the client's certificate. */
  readonly key?: string | undefined;
}

/**
 * `fetch` with authorities and a client certificate, which the `fetch` of Node cannot take. Follows
 * no redirect.
 */
export function createTlsFetch(
  { ca, certificate, key }: TlsFiles,
): { readonly fetch: typeof globalThis.fetch; close(): void } {
  const agent = new https.Agent({
    keepAlive: true,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  });
  return {
    async fetch(input, init) {
      const request = new Request(input, init);
      const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
      return await new Promise((resolve, reject) => {
        const { method, signal } = request;
        const headers = Object.fromEntries(request.headers);
        const sent = https.request(request.url, { agent, method, headers, signal }, (answer) => {
          const { statusCode: status = 0, headers } = answer;
          const isEmpty = status === 204 || status === 304;
          const pairs = Object.entries(headers).flatMap(([name, values]) =>
            [values ?? []].flat().map((value): [string, string] => [name, value])
          );
          const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
          resolve(new Response(isEmpty ? null : stream, { status, headers: pairs }));
        });
        sent.on("error", reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
