import type { Clock } from "@mpc/services";
import { isTrustedUrl } from "./trusted_url.ts";

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * Fetches JSON from a trusted URL, within a time and a size. Redirects are not followed: keys come
 * from where the settings, or the issuer's own document, say.
 * @throws {Error} whatever is wrong
 */
export async function fetchJson(
  url: string,
  { timeoutMs, maxBytes }: FetchLimits,
  { clock, signal, client }: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly client: Deno.HttpClient | undefined;
  },
): Promise<unknown> {
  if (!isTrustedUrl(url)) throw new Error(`'${url}' is neither https nor http on loopback`);
  const abort = new AbortController();
  const done = new AbortController();
  const cancelled = AbortSignal.any([abort.signal, signal]);
  clock.sleep(timeoutMs, done.signal).then(
    () => abort.abort(new Error(`'${url}' does not answer within ${timeoutMs} ms`)),
    () => {}, // It was answered in time.
  );
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: cancelled,
      headers: { accept: "application/json" },
      ...(client && { client }),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`'${url}' answers with the status ${response.status}`);
    }
    return JSON.parse(await readText(response, maxBytes));
  } finally {
    done.abort();
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`'${response.url}' sends more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
