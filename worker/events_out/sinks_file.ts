/** What a file of event sinks says. */
import { getLogger } from "@logtape/logtape";
import { EVENT_FIELDS, type Filter, idProblem, isMpcError, parseFilter } from "@mpc/domain";
import { isLoopback, parseYamlFile, WatchedFile, type WatchedFileKind } from "@mpc/process";
import ipaddr from "ipaddr.js";
import parseDuration from "parse-duration";
import { z } from "zod";

/** Bounds the figures, the connections and the readers of the log. */
const MAX_SINKS = 32;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const url = z.string().max(2_000).transform((text, context) => {
  const parsed = URL.parse(text);
  const host = parsed?.hostname.replace(/^\[|\]$/g, "") ?? "";
  if (parsed?.username || parsed?.password || parsed?.hash) {
    context.addIssue("must have no user, password or fragment");
    return z.NEVER;
  }
  if (parsed?.protocol === "https:" || (parsed?.protocol === "http:" && isLoopback({ host }))) {
    return parsed;
  }
  // The text may be a secret, so it is not in the message.
  context.addIssue("must be https://HOST/…, or http:// and a loopback address");
  return z.NEVER;
});

const filter = z.string().default("").transform((text, context) => {
  try {
    // No field of events depends on the time.
    return { text: text.trim(), filter: parseFilter(text, EVENT_FIELDS, 0) ?? null };
  } catch (error) {
    if (!isMpcError(error)) throw error;
    context.addIssue(error.violations.map(({ hint }) => hint).join("; "));
    return z.NEVER;
  }
});

const time = (minMs: number, maxMs: number, example: string) =>
  z.string().transform((text, context) => {
    const ms = /^\d+(?:s|m|h|d)$/.test(text) ? parseDuration(text) ?? -1 : -1;
    if (ms >= minMs && ms <= maxMs) return ms;
    context.addIssue(`must be a time such as ${example}`);
    return z.NEVER;
  });

const filePath = z.string().min(1, "must be the path of a file");

const sink = z.strictObject({
  id: z.string().refine((text) => !idProblem(text), {
    error: "must be lower-case letters, digits and '-', for instance 'chat'",
  }),
  url,
  secretFile: filePath,
  caFile: filePath.optional(),
  filter,
  from: z.enum(["now", "beginning"], { error: "must be now or beginning" }).default("now"),
  timeout: time(1_000, MINUTE_MS, "10s, at most 1m").default(10_000),
  giveUpAfter: time(0, 30 * DAY_MS, "24h, at most 30d").default(DAY_MS),
});

/** An entry of `allow`: addresses, or a host that may have any address. */
const allowed = z.string().transform((text, context): AllowedTarget => {
  if (text.includes("/") && ipaddr.isValidCIDR(text)) return { range: ipaddr.parseCIDR(text) };
  if (isAddress(text)) {
    const address = ipaddr.parse(text);
    return { range: [address, address.kind() === "ipv4" ? 32 : 128] };
  }
  if (/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text) && !/^[\d.]+$/.test(text)) {
    return { host: text };
  }
  context.addIssue("must be a host, an address or a CIDR such as 10.0.0.0/8");
  return z.NEVER;
});

const isAddress = (text: string): boolean =>
  ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text);

/** What may be called although it is not on the public internet. */
export type AllowedTarget =
  | { readonly range: readonly [ipaddr.IPv4 | ipaddr.IPv6, number] }
  | { readonly host: string };

export const EVENT_SINKS = z.strictObject({
  allow: z.array(allowed).max(1_000).default([]),
  sinks: z.array(sink).max(MAX_SINKS, `must be at most ${MAX_SINKS}`),
}).superRefine(({ sinks }, context) => {
  const ids = new Set<string>();
  for (const [index, { id }] of sinks.entries()) {
    if (ids.has(id)) {
      const message = `'${id}' is there already; choose another id`;
      context.addIssue({ code: "custom", path: ["sinks", index, "id"], message });
    }
    ids.add(id);
  }
});

/** One receiver of events. */
export interface SinkSettings {
  readonly id: string;
  readonly url: URL;
  /** Its lines are the secrets, each of which signs. */
  readonly secretFile: string;
  /** Certificates that the receiver's certificate may be signed by, instead of the public ones. */
  readonly caFile?: string | undefined;
  readonly filter: { readonly text: string; readonly filter: Filter | null };
  /** Where a new sink begins. */
  readonly from: "now" | "beginning";
  /** How long one attempt may take, in milliseconds. */
  readonly timeout: number;
  /** How long an event is retried before it becomes a dead letter, in milliseconds. */
  readonly giveUpAfter: number;
}

export interface EventSinksSettings {
  readonly allow: readonly AllowedTarget[];
  readonly sinks: readonly SinkSettings[];
}

const EVENT_SINKS_FILE: WatchedFileKind<EventSinksSettings> = {
  what: "file of event sinks",
  reason: "EVENT_SINKS_FILE_INVALID",
  schema: EVENT_SINKS,
  log: getLogger(["mpc", "events_out"]),
};

/**
 * Reads a file of event sinks; its content is read again when the file changes.
 * @throws {MpcError} INVALID_ARGUMENT `EVENT_SINKS_FILE_INVALID`, with `FILE:line:column`
 */
export const openSinksFile = (path: string): Promise<WatchedFile<EventSinksSettings>> =>
  WatchedFile.open(path, EVENT_SINKS_FILE);

/**
 * Parses the text of a file of event sinks.
 * @throws {MpcError} INVALID_ARGUMENT `EVENT_SINKS_FILE_INVALID`, with `FILE:line:column`
 */
export const parseSinksFile = (path: string, text: string): EventSinksSettings =>
  parseYamlFile(path, text, EVENT_SINKS_FILE);
