import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import type { Address } from "@mpc/process";
import type { Payload, PayloadCodec } from "@temporalio/common";
import { z } from "zod";
import { type Listening, listening } from "../listening.ts";

const log = getLogger(["mpc", "codec"]);

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  readonly listen: Address;
  /** The origin of Temporal's UI, whose pages may read the answers; null for no page. */
  readonly uiOrigin: string | null;
}

/** Temporal keeps no larger message, and base64 makes it a third longer. */
const MAX_BYTES = 6 * 1_024 * 1_024;

const MAX_AGE_S = 600;

const base64 = z.string().transform((text, context) => {
  try {
    return Uint8Array.fromBase64(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    context.addIssue("must be base64");
    return z.NEVER;
  }
});

/** `Payloads` of Temporal's API as protobuf's JSON: bytes in base64. */
const PAYLOADS = z.object({
  payloads: z.array(z.object({
    metadata: z.record(z.string(), base64).default({}),
    data: base64.default(new Uint8Array()),
  })).default([]),
});

type Verb = "encode" | "decode";

/**
 * Serves `POST /encode` and `POST /decode` for Temporal's UI and CLI (Temporal, "Codec Server"). A
 * browser only hands its answers to pages of the given origin, and a page of any other origin is
 * refused; programs of this machine are not.
 * @throws {MpcError} FAILED_PRECONDITION `PORT_IN_USE` or `CANNOT_LISTEN`
 */
export function serveCodec({ codec, listen, uiOrigin }: CodecServerOptions): Listening {
  return listening(listen, async (request) => {
    const url = new URL(request.url);
    const verb = VERBS[url.pathname];
    if (!verb) return problem(404, "there are only /encode and /decode");
    // A name that resolves to this machine would let a foreign page pass for one of ours.
    if (!isOwnHost(url, listen)) return problem(403, `'${url.hostname}' is not this server`);
    const origin = request.headers.get("origin");
    if (origin !== null && origin !== uiOrigin) {
      return problem(403, `pages of '${origin}' may not read payloads; see --ui-origin`);
    }
    const headers = new Headers({ vary: "origin" });
    if (origin !== null) {
      headers.set("access-control-allow-origin", origin);
      headers.set("access-control-allow-credentials", "true");
    }
    if (request.method === "OPTIONS") return preflight(headers);
    if (request.method !== "POST") return problem(405, "use POST", headers);
    return await answer(codec, verb, request, headers);
  });
}

const VERBS: Readonly<Record<string, Verb>> = { "/encode": "encode", "/decode": "decode" };

function isOwnHost({ hostname }: URL, { host }: Address): boolean {
  const name = hostname.replace(/^\[|\]$/g, "");
  return name === host || name === "localhost" || name === "127.0.0.1" || name === "::1";
}

function preflight(headers: Headers): Response {
  headers.set("access-control-allow-methods", "POST, OPTIONS");
  headers.set("access-control-allow-headers", "content-type, x-namespace, authorization");
  headers.set("access-control-max-age", String(MAX_AGE_S));
  return new Response(null, { status: 204, headers });
}

async function answer(
  codec: PayloadCodec,
  verb: Verb,
  request: Request,
  headers: Headers,
): Promise<Response> {
  const text = await textOf(request);
  if (text === undefined) return problem(413, `send at most ${MAX_BYTES} bytes`, headers);
  const parsed = PAYLOADS.safeParse(jsonOf(text));
  if (!parsed.success) {
    return problem(400, `not payloads: ${z.prettifyError(parsed.error)}`, headers);
  }
  try {
    const payloads = await codec[verb](parsed.data.payloads);
    return Response.json({ payloads: payloads.map(inBase64) }, { headers });
  } catch (error) {
    const record = recordError(error);
    log.warn("Cannot {verb} payloads: {error}", { verb, error: record });
    return problem(400, record.message, headers);
  }
}

/** The body; undefined if it is too long. */
async function textOf(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

/** Undefined for a text that is not JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function inBase64({ metadata, data }: Payload) {
  const text = (bytes: Uint8Array) => new Uint8Array(bytes).toBase64();
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)]),
    ),
    data: text(data ?? new Uint8Array()),
  };
}

const problem = (status: number, message: string, headers: HeadersInit = {}): Response =>
  Response.json({ message }, { status, headers });
