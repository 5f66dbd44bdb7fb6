/** How long a browser may keep the answer to a preflight, in seconds. */
const MAX_AGE_S = "600";

/** Headers of responses that gRPC-Web and Connect clients read. */
const EXPOSED =
  "grpc-status, grpc-message, grpc-status-details-bin, content-encoding, x-request-id";

/**
 * Allows web pages of listed origins to call the API (Fetch standard, "CORS protocol"). Credentials
 * of the browser are never allowed: callers send theirs in headers.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  allows(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** The answer to a preflight of an allowed origin; undefined if the request is none. */
  preflight({ method, headers }: Request, origin: string): Response | undefined {
    if (method !== "OPTIONS" || !headers.has("access-control-request-method")) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": headers.get("access-control-request-headers") ?? "",
        "access-control-max-age": MAX_AGE_S,
        vary: "origin, access-control-request-headers",
      },
    });
  }

  /** Lets the page of an allowed origin read a response. */
  readable(response: Response, origin: string): Response {
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", EXPOSED);
    response.headers.append("vary", "origin");
    return response;
  }
}
