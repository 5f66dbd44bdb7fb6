import type { ComponentChildren } from "preact";
import type { Mood, NavEntry, Rendered, Theme } from "../page.ts";
import type { Assets } from "../static_files.ts";
import { Icon, IconShapes } from "./icons.tsx";
import { Now } from "./page_state.ts";

const NAV: readonly (readonly [entry: NavEntry, path: string, title: string, key: string])[] = [
  ["overview", "/", "Overview", "g h"],
  ["environments", "/environments", "Environments", "g e"],
  ["operations", "/operations", "Operations", "g o"],
  ["audit", "/audit", "Audit", "g a"],
  ["status", "/status", "Status", "g s"],
];

const MARKS: Readonly<Record<Mood, string>> = { ok: "", busy: "◌ ", failed: "✕ " };

const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** What every page has around its own content. */
export interface Frame {
  readonly assets: Assets;
  readonly nonce: string;
  readonly theme: Theme;
  readonly now: number;
  /** The path and query of the page. */
  readonly path: string;
  /** Where in the event log the page was made; "" if that is not known. */
  readonly position: string;
  /** Whether the viewer has signed in, and can sign out. */
  readonly signedIn: boolean;
}

/** A whole document. */
export function Layout({ frame, page }: { readonly frame: Frame; readonly page: Rendered }) {
  const { assets, nonce, theme } = frame;
  const { title, mood = "ok", watch, refreshMs } = page;
  const isLive = watch !== undefined || refreshMs !== undefined;
  const live = {
    ...(watch && { "data-watch": watch.join(" ") }),
    ...(refreshMs !== undefined && { "data-refresh": String(refreshMs) }),
  };
  return (
    <html lang="en" data-theme={theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${MARKS[mood]}${title} · mpc`}</title>
        <link rel="icon" type="image/svg+xml" href={assets.url(`icon_${mood}.svg`)} />
        <link rel="stylesheet" href={assets.url("style.css")} nonce={nonce} />
        <script type="module" src={assets.url("main.js")} nonce={nonce}></script>
      </head>
      <body data-position={frame.position} data-now={String(frame.now)} {...live}>
        <a class="skip" href="#main">Skip to content</a>
        <IconShapes />
        <div class="shell">
          <Sidebar frame={frame} current={page.nav} live={isLive} />
          <div class="content">
            <Now.Provider value={frame.now}>
              <main id="main" tabindex={-1}>{page.body}</main>
            </Now.Provider>
          </div>
        </div>
      </body>
    </html>
  );
}

function Sidebar({ frame, current, live }: {
  readonly frame: Frame;
  readonly current: NavEntry | undefined;
  readonly live: boolean;
}) {
  return (
    <header class="sidebar">
      <a class="brand" href="/">
        <svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
          <rect width="20" height="20" rx="5" fill="currentColor" />
          <path
            class="logo-mark"
            d="M5 14V7l5 4 5-4v7"
            fill="none"
            stroke-width="2"
            stroke-linejoin="round"
            stroke-linecap="round"
          />
        </svg>
        <span>Control plane</span>
      </a>
      <button type="button" class="palette-open" data-palette>
        <Icon name="search" />
        <span>Search</span>
        <kbd>⌘K</kbd>
      </button>
      <nav aria-label="Pages">
        <ul>
          {NAV.map(([entry, path, title, key]) => (
            <li key={entry}>
              <a href={path} data-key={key} {...(entry === current && { "aria-current": "page" })}>
                <Icon name={entry} />
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="sidebar-end">
        {live
          ? (
            <p class="live" id="live" role="status">
              <span class="live-dot" aria-hidden="true"></span>
              <span id="live-text">connecting</span>
            </p>
          )
          : null}
        <form class="theme" method="post" action="/ui/theme" aria-label="Theme">
          <input type="hidden" name="back" value={frame.path} />
          {THEMES.map(([theme, title]) => (
            <button
              type="submit"
              key={theme}
              name="theme"
              value={theme}
              aria-pressed={theme === frame.theme ? "true" : "false"}
            >
              {title}
            </button>
          ))}
        </form>
        {frame.signedIn
          ? (
            <form method="post" action="/ui/sign-out">
              <button type="submit" class="link">Sign out</button>
            </form>
          )
          : null}
      </div>
    </header>
  );
}

/** The head of a page: where it is, what it is called, what is said beside that. */
export function PageHead({ title, trail = [], aside, children }: {
  readonly title: ComponentChildren;
  readonly trail?: readonly (readonly [title: string, path: string])[];
  readonly aside?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      {trail.length === 0 ? null : (
        <nav class="trail" aria-label="Breadcrumb">
          <ol>
            {trail.map(([title, path]) => (
              <li key={path}>
                <a href={path}>{title}</a>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div class="page-title">
        <h1>{title}</h1>
        {aside}
      </div>
      {children}
    </div>
  );
}
