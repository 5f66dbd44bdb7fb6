import { unreadableRequest } from "../unreadable_request.ts";
import { acceptsGzip, gzip } from "./gzip.ts";
import { refusal } from "./refusals.ts";

/** Where the OpenAPI document is served. */
export const OPENAPI_PATH = "/openapi.json";

let document: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** Answers with the OpenAPI document of this door's JSON; it is read when it is first asked for. */
export async function openApi({ method, headers }: Request): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") {
    const why = `its method is ${method}, must be GET or HEAD`;
    const allow = { allow: "GET, HEAD" };
    return refusal(unreadableRequest("NO_CALL", why), { status: 405, headers: allow });
  }
  document ??= read();
  const bytes = await document;
  const isZipped = acceptsGzip(headers.get("accept-encoding"));
  return new Response(isZipped ? await gzip.compress(bytes) : bytes, {
    headers: {
      "content-type": "application/json",
      vary: "accept-encoding",
      ...(isZipped && { "content-encoding": "gzip" }),
    },
  });
}

async function read(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: described } = await import("../openapi.json", { with: { type: "json" } });
  return new TextEncoder().encode(JSON.stringify(described));
}
