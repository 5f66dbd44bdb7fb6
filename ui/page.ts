/** What a page is: a function from a request to what is shown. */
import type { Connection } from "@mpc/client";
import type { ComponentChildren } from "preact";

/** Whether what a page shows is well, in its title and its icon. */
export type Mood = "ok" | "busy" | "failed";

export type Theme = "system" | "light" | "dark";

/** The request for a page, and what it is answered with. */
export interface PageRequest {
  /** Clients of the API that call with the viewer's own credentials. */
  readonly api: Connection;
  readonly url: URL;
  /** The value of a parameter of the page's path, for instance of `:environment`. */
  param(name: string): string;
  /** The value of a parameter of the query; "" if it is not given. */
  query(name: string): string;
  /** When the request came, in milliseconds since 1970. */
  readonly now: number;
  /** Aborted when the viewer has gone. */
  readonly signal: AbortSignal;
}

/** What a page shows. */
export interface Rendered {
  readonly title: string;
  readonly body: ComponentChildren;
  /**
   * Resources whose events change the page, and all resources below them; `*` for all. By default
   * the page is not live.
   */
  readonly watch?: readonly string[];
  /** Loads the page again in this interval, for what has no events. */
  readonly refreshMs?: number;
  readonly mood?: Mood;
  /** Which entry of the navigation it belongs to. */
  readonly nav?: NavEntry;
  readonly status?: 200 | 404;
}

export type NavEntry = "overview" | "environments" | "operations" | "audit" | "status";

export type Page = (request: PageRequest) => Promise<Rendered>;

/** Pages by their paths, in the syntax of Hono. */
export type Routes = Readonly<Record<string, Page>>;
