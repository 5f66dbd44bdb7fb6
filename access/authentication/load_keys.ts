import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import type { Clock } from "@mpc/services";
import { z } from "zod";
import { fetchJson } from "./fetch_json.ts";

const DISCOVERY_LIMITS = { timeoutMs: 5_000, maxBytes: 64 * 1024 };
const KEYS_LIMITS = { timeoutMs: 5_000, maxBytes: 256 * 1024 };
const MAX_KEYS = 100;

const DISCOVERY = z.object({ issuer: z.string(), jwks_uri: z.string() });

const KEYS = z.object({
  keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS, `more than ${MAX_KEYS} keys`),
});

export interface KeySource {
  readonly issuer: string;
  readonly keysFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/**
 * Reads the keys of an issuer: from a file, or from where its discovery document says ("OpenID
 * Connect Discovery 1.0", section 4).
 * @throws {Error} whatever is wrong
 */
export async function loadKeys(
  { issuer, keysFile, caFile }: KeySource,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<JSONWebKeySet> {
  if (keysFile !== undefined) {
    return usable(KEYS.parse(JSON.parse(await readFile(keysFile, { encoding: "utf8", signal }))));
  }
  const client = caFile === undefined
    ? undefined
    : Deno.createHttpClient({ caCerts: [await readFile(caFile, { encoding: "utf8", signal })] });
  try {
    const options = { clock, signal, client };
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const discovered = DISCOVERY.parse(await fetchJson(url, DISCOVERY_LIMITS, options));
    if (discovered.issuer !== issuer) {
      throw new Error(`'${url}' is of the issuer '${discovered.issuer}', must be '${issuer}'`);
    }
    return usable(KEYS.parse(await fetchJson(discovered.jwks_uri, KEYS_LIMITS, options)));
  } finally {
    client?.close();
  }
}

/** Leaves out shared secrets, which must never verify a token. */
function usable({ keys }: z.output<typeof KEYS>): JSONWebKeySet {
  return { keys: keys.filter(({ kty }) => kty !== "oct") };
}
