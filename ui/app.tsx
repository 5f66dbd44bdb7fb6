import { Code, ConnectError } from "@connectrpc/connect";
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { render } from "preact-render-to-string";
import { readFailure } from "@mpc/client";
import { type Frame, Layout } from "./components/layout.tsx";
import { Hubs } from "./live/hubs.ts";
import { liveStream } from "./live/live_stream.ts";
import { logStream } from "./live/log_stream.ts";
import type { Page, PageRequest, Rendered, Routes, Theme } from "./page.ts";
import { failedPage, missingPage } from "./routes/failed.tsx";
import { ROUTES } from "./routes/mod.ts";
import { signInPage } from "./routes/sign_in.tsx";
import { placesOf } from "./routes/places.ts";
import { Assets, STATIC_PATH } from "./static_files.ts";
import type { ConnectAs, Viewer, ViewerClient } from "./viewer.ts";

export interface DashboardOptions<Client extends ViewerClient> {
  readonly connectAs: ConnectAs<Client>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether browsers reach the pages by HTTPS; cookies are for HTTPS only then. */
  readonly secure: boolean;
}

/** The pages of the dashboard. */
export interface Dashboard<Client extends ViewerClient> {
  pages(request: Request, client: Client): Promise<Response>;
  /** Ends the streams of open pages. */
  close(): void;
  /** The number of open live pages. */
  readonly livePages: number;
}

interface Bindings<Client> {
  readonly Bindings: { readonly client: Client };
}

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const THEME_COOKIE = "mpc_theme";

/** Has the token of a viewer who has signed in; it ends with the browser's session. */
const TOKEN_COOKIE = "mpc_token";

/** Browsers drop cookies of more than 4,096 bytes, with their names and attributes. */
const MAX_TOKEN = 3_900;

const REFUSED = "The API does not accept this token. Check it, or create another one.";
const UNUSABLE = "This is no token: it is empty, or has characters that no token has.";
const TOO_LONG =
  `This token is longer than the ${MAX_TOKEN} characters that a browser keeps. Use one of the platform.`;
const YEAR_S = 365 * 24 * 3_600;

/** Smaller pages are sent as they are. */
const MIN_GZIP_BYTES = 1_400;

/** Makes the dashboard. Its routes may be others in tests. */
export function createDashboard<Client extends ViewerClient>(
  { connectAs, now, secure }: DashboardOptions<Client>,
  routes: Routes = ROUTES,
): Dashboard<Client> {
  const assets = new Assets();
  const hubs = new Hubs();
  const closing = new AbortController();
  const app = new Hono<Bindings<Client>>();
  type Request = Context<Bindings<Client>>;

  const viewerOf = (context: Request): Viewer => ({ token: getCookie(context, TOKEN_COOKIE) });

  const cookie = { path: "/", sameSite: "Lax", httpOnly: true, secure } as const;

  const show = (context: Request, page: Rendered, status: number, position = ""): Response => {
    const url = new URL(context.req.url);
    const nonce = randomBytes(16).toString("base64");
    const theme = THEMES.find((theme) => theme === getCookie(context, THEME_COOKIE)) ?? "system";
    const path = `${url.pathname}${url.search}`;
    const signedIn = viewerOf(context).token !== undefined;
    const frame: Frame = { assets, nonce, theme, now: now(), path, position, signedIn };
    return document(`<!doctype html>${render(<Layout frame={frame} page={page} />)}`, {
      status,
      nonce,
      secure,
      zipped: /\bgzip\b/.test(context.req.header("accept-encoding") ?? ""),
    });
  };

  const answer = async (context: Request, page: Page): Promise<Response> => {
    const viewer = viewerOf(context);
    const key = keyOf(viewer);
    // Taken before the page reads anything, so that no event falls between.
    const position = hubs.position(key);
    const api = connectAs(viewer, context.env.client);
    const request: PageRequest = {
      api,
      url: new URL(context.req.url),
      param: (name) => context.req.param(name) ?? "",
      query: (name) => context.req.query(name) ?? "",
      now: now(),
      signal: context.req.raw.signal,
    };
    try {
      const shown = await page(request);
      return show(context, shown, shown.status ?? 200, position);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.code === Code.Unauthenticated) {
        return context.redirect(signInPath(request.url), 303);
      }
      const failure = readFailure(error);
      return show(context, failedPage(failure), statusOf(error.code), position);
    } finally {
      api.close();
    }
  };

  for (const [path, page] of Object.entries(routes)) {
    app.get(path, (context) => answer(context, page));
  }

  app.get(`${STATIC_PATH}*`, (context) => {
    const zipped = context.req.header("accept-encoding") ?? "";
    return assets.answer(context.req.path, zipped) ?? context.notFound();
  });

  app.get("/ui/live", (context) => {
    const viewer = viewerOf(context);
    const hub = hubs.of(keyOf(viewer), () => connectAs(viewer, context.env.client));
    return liveStream(hub, context.req.raw);
  });

  app.get("/ui/logs", (context) => {
    const api = connectAs(viewerOf(context), context.env.client);
    return logStream(api, context.req.raw, closing.signal);
  });

  app.get("/ui/places", async (context) => {
    const api = connectAs(viewerOf(context), context.env.client);
    const places = await placesOf(api, context.req.query("q") ?? "", context.req.raw.signal);
    return context.json(places, 200, { "cache-control": "no-store" });
  });

  app.post("/ui/theme", async (context) => {
    const { theme, back } = await context.req.parseBody();
    const known = THEMES.find((known) => known === theme) ?? "system";
    setCookie(context, THEME_COOKIE, known, { ...cookie, maxAge: YEAR_S });
    return context.redirect(ownPath(back), 303);
  });

  app.get("/ui/sign-in", (context) => {
    const problem = viewerOf(context).token === undefined ? undefined : REFUSED;
    return show(context, signInPage(ownPath(context.req.query("back")), problem), 200);
  });

  app.post("/ui/sign-in", async (context) => {
    const { token, back } = await context.req.parseBody();
    const given = typeof token === "string" ? token.trim() : "";
    const problem = !/^[\x21-\x7e]+$/.test(given)
      ? UNUSABLE
      : given.length > MAX_TOKEN
      ? TOO_LONG
      : undefined;
    if (problem !== undefined) return show(context, signInPage(ownPath(back), problem), 400);
    setCookie(context, TOKEN_COOKIE, given, cookie);
    return context.redirect(ownPath(back), 303);
  });

  app.post("/ui/sign-out", (context) => {
    deleteCookie(context, TOKEN_COOKIE, cookie);
    return context.redirect("/", 303);
  });

  app.notFound((context) => show(context, missingPage(context.req.path), 404));

  return {
    pages: async (request, client) => await app.fetch(request, { client }),
    close() {
      closing.abort();
      hubs.close();
    },
    get livePages() {
      return hubs.pages;
    },
  };
}

/** Stands for a viewer's credentials, without being them. */
const keyOf = ({ token }: Viewer): string =>
  token === undefined ? "" : createHash("sha256").update(token).digest("base64");

/** A path of this server, whatever a form says. */
export function ownPath(given: unknown): string {
  const isOwn = typeof given === "string" && /^\/(?![/\\])/.test(given);
  return isOwn ? given : "/";
}

const signInPath = ({ pathname, search }: URL): string =>
  `/ui/sign-in?back=${encodeURIComponent(`${pathname}${search}`)}`;

function statusOf(code: Code): number {
  switch (code) {
    case Code.NotFound:
      return 404;
    case Code.PermissionDenied:
      return 403;
    case Code.InvalidArgument:
      return 400;
    case Code.ResourceExhausted:
      return 429;
    default:
      return 503;
  }
}

function document(
  html: string,
  { status, nonce, secure, zipped }: {
    readonly status: number;
    readonly nonce: string;
    readonly secure: boolean;
    readonly zipped: boolean;
  },
): Response {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  const isZipped = zipped && html.length >= MIN_GZIP_BYTES;
  return new Response(isZipped ? new Uint8Array(gzipSync(html, { level: 5 })) : html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      vary: "accept-encoding, cookie",
      ...(secure && { "strict-transport-security": "max-age=31536000" }),
      ...(isZipped && { "content-encoding": "gzip" }),
    },
  });
}
