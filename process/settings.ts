/** Schemas of flags and environment variables, which processes share. */
import { readFileSync } from "node:fs";
import parseDuration from "parse-duration";
import { z } from "zod";
import { isLoopback, parseAddress } from "./address.ts";

/** One of several words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(", ")}` });

/** A number in a range. */
export const between = (min: number, max: number) => {
  const error = `must be ${min} to ${max}`;
  return spelledOut(error).pipe(z.number({ error }).min(min, { error }).max(max, { error }));
};

/** A whole number in a range. */
export const countBetween = (min: number, max: number) => {
  const error = `must be a whole number, ${min} to ${max}`;
  return spelledOut(error).pipe(z.int({ error }).min(min, { error }).max(max, { error }));
};

/** Parses a number; an empty text would count as zero. */
const spelledOut = (error: string) => z.string().trim().min(1, { error }).transform(Number);

/** Where to listen, on any address of this machine. */
export const doorAddress = z.string().transform((text, context) => {
  const address = parseAddress(text);
  if (address) return address;
  context.addIssue("must be HOST:PORT, for instance 127.0.0.1:8080");
  return z.NEVER;
});

/** Where to listen without TLS and authentication. */
export const listenAddress = doorAddress.refine(
  isLoopback,
  "must be a loopback address such as 127.0.0.1 without TLS and authentication",
);

/** The flag of processes whose `/metrics` other machines may read without credentials. */
export const PUBLIC_METRICS = [
  "--public-metrics",
  "let other machines read /metrics without credentials",
] as const;

/** The URL of another process of the platform. */
export const peerUrl = z.string().transform((text, context) => {
  const url = URL.parse(text.trim());
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  context.addIssue(
    "must be https://HOST:PORT, or http:// and a loopback address such as http://127.0.0.1:50052",
  );
  return z.NEVER;
});

/** Whether a URL is plain HTTP to another machine. */
export const isExposed = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && !isLoopback({ host: hostname.replace(/^\[|\]$/g, "") });

/** The origin of web pages. */
export const pageOrigin = z.string().trim().transform((text, context) => {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  context.addIssue("must be an origin without a path, for instance http://localhost:8233");
  return z.NEVER;
});

/** The name or address of a host, without a port. */
export const hostName = z.string().trim().toLowerCase().regex(
  /^(?:[a-z0-9.-]+|[0-9a-f:]+)$/,
  "must be a host without a port, for instance mpc.example.com",
);

/** The address of a server that is not part of the platform, on any machine. */
export const hostAndPort = z.string().regex(/^[^\s/]+:\d+$/, "must be HOST:PORT");

/** The path of a file; becomes the text in it. */
export const fileContent = z.string().min(1).transform((path, context) => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    context.addIssue(
      error instanceof Deno.errors.NotCapable
        ? "cannot be read: this task may only read files that the flag's variable names"
        : `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    return z.NEVER;
  }
});

/** How long history is kept, in milliseconds; null to keep all of it. */
export const keepTime = z.string().trim().transform((text, context) => {
  if (text === "forever") return null;
  const ms = /^\d+[hdw]$/.test(text) ? parseDuration(text) : null;
  if (ms) return ms;
  context.addIssue("must be hours, days or weeks such as 12h, 90d or 4w, or forever");
  return z.NEVER;
});

/** The settings of every process. */
export const PROCESS_SETTINGS = {
  grace: between(0, 600),
} as const;

/** The flag of processes that remove audit records, and its default. */
export const AUDIT_RETENTION = [
  "--audit-retention <time>",
  "how long audit records are kept",
] as const;
export const DEFAULT_AUDIT_RETENTION = "400d";

/** The flag of processes that deliver events to other programs. */
export const EVENT_SINKS_FILE = [
  "--event-sinks-file <file>",
  "where events are sent to as CloudEvents; docs/events_out.md",
] as const;

/** The flag of processes with an engine. */
export const TAKE_OVER = [
  "--take-over",
  "continue unfinished operations that another engine began; no process may run it meanwhile",
] as const;
