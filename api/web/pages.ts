import type { BodyReader } from "./read_body.ts";
import * as refusals from "./refusals.ts";
import { type Client, tooMuchAtOnce, type WebCall } from "./web_call.ts";

/** Answers requests of browsers, on behalf of the client that sends them. */
export type Pages = (request: Request, client: Omit<Client, "peer">) => Promise<Response>;

/** Where everything of the pages is that is not a page itself. */
const ASSETS = "/ui/";

/** What a page's response counts for until it has been sent; most are smaller. */
const PAGE_BYTES = 16 * 1024;

/** Whether a request is for a page rather than a call of the API. */
export function isForPages({ method, headers }: Request, path: string): boolean {
  if (path.startsWith(ASSETS)) return true;
  const accepted = headers.get("accept") ?? "";
  return (method === "GET" || method === "HEAD") && accepted.includes("text/html");
}

/** Answers with pages, within the limits of the door. */
export function pagesHandler(
  pages: Pages,
  bodies: BodyReader,
): (request: Request, call: WebCall) => Promise<Response> {
  return async (request, call) => {
    if (!call.untilSent(PAGE_BYTES)) return refusals.refusal(tooMuchAtOnce("takes"));
    if (request.method === "GET" || request.method === "HEAD") return await pages(request, call);
    const { method, url, headers, signal } = request;
    const body = await bodies.read(request, call);
    return await pages(new Request(url, { method, headers, body, signal }), call);
  };
}
