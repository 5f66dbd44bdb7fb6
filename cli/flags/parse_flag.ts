import { InvalidArgumentError } from "@commander-js/extra-typings";
import parseDuration from "parse-duration";

/** Parsers of flag values. */

/** `8h`, `90m`, `1h30m`, in milliseconds. */
export function duration(text: string): number {
  const ms = /^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text) ? parseDuration(text) : undefined;
  if (ms && ms > 0) return ms;
  throw new InvalidArgumentError("Must be a duration such as 30s, 90m, 8h or 1h30m.");
}

/**
 * A text that is not empty. An empty one comes from a shell variable that is not set or a command
 * that failed, and would mean that the flag is not used.
 */
export function nonEmpty(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("Must not be empty.");
}

/** A whole number. */
export function integer(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Must be a whole number.");
}

/** A whole number of at least 1. */
export function count(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("Must be a whole number, 1 or more.");
}

/** Repeated `KEY=VALUE`. */
export function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
  throw new InvalidArgumentError("Must be KEY=VALUE.");
}

/** `--port` as typed. */
export interface TypedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

/** Repeated `[NAME=]PORT[/udp]`. */
export function ports(text: string, before: readonly TypedPort[] = []): readonly TypedPort[] {
  const match = /^(?:([^=/]+)=)?(-?\d{1,9})(?:\/(tcp|udp))?$/i.exec(text);
  if (!match) throw new InvalidArgumentError("Must be PORT, PORT/udp or NAME=PORT.");
  const [, name = "", port, protocol = "tcp"] = match;
  return [...before, { name, port: Number(port), protocol: protocol.toUpperCase() }];
}

/** Repeated text. */
export function texts(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

type Reference =
  | { readonly case: "secret"; readonly value: string }
  | { readonly case: "config"; readonly value: string };

/** `--var-from` as typed. */
export interface TypedSource {
  readonly variable: string;
  readonly key: string;
  readonly source: Reference;
}

/** `--volume` as typed. */
export interface TypedVolume {
  readonly name: string;
  readonly path: string;
  readonly source:
    | Reference
    | { readonly case: "scratch"; readonly value: { readonly size: string } }
    | { readonly case: "storage"; readonly value: { readonly size: string } };
}

/** `--autoscale` as typed. */
export interface TypedAutoscaling {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetCpuPercent: number;
}

/** Repeated `secret/NAME`, `config/NAME` or `VARIABLE=secret/NAME[/KEY]`. */
export function sources(
  text: string,
  before: readonly TypedSource[] = [],
): readonly TypedSource[] {
  const match = /^(?:([^=]+)=)?(secret|config)\/([^/]+)(?:\/([^/]+))?$/.exec(text);
  const [, variable = "", kind = "", value = "", key = ""] = match ?? [];
  if (match && (key === "" || variable !== "")) {
    return [...before, { variable, key, source: reference(kind, value) }];
  }
  throw new InvalidArgumentError(
    "Must be secret/NAME, config/NAME, or VARIABLE=secret/NAME/KEY of one key.",
  );
}

/** Repeated `NAME=PATH:SOURCE`; the source is `scratch[/SIZE]`, `secret/NAME`, `config/NAME` or a size. */
export function volumes(text: string, before: readonly TypedVolume[] = []): readonly TypedVolume[] {
  const match = /^([^=:]+)=([^:]+):(?:(scratch|secret|config)(?:\/(.+))?|([0-9][^/]*))$/.exec(text);
  const [, name = "", path = "", kind, value = "", size = ""] = match ?? [];
  if (!match || (kind !== undefined && kind !== "scratch" && value === "")) {
    throw new InvalidArgumentError(
      "Must be NAME=PATH:scratch, NAME=PATH:10Gi, NAME=PATH:secret/NAME or NAME=PATH:config/NAME.",
    );
  }
  if (kind === "scratch") {
    return [...before, { name, path, source: { case: kind, value: { size: value } } }];
  }
  const source = kind === undefined
    ? { case: "storage" as const, value: { size } }
    : reference(kind, value);
  return [...before, { name, path, source }];
}

/** `MIN-MAX` or `MIN-MAX@CPU%`. */
export function autoscaling(text: string): TypedAutoscaling {
  const match = /^(\d{1,4})-(\d{1,4})(?:@(\d{1,3})%?)?$/.exec(text);
  if (!match) throw new InvalidArgumentError("Must be MIN-MAX or MIN-MAX@PERCENT of cpu.");
  const [minReplicas = 0, maxReplicas = 0, targetCpuPercent = 0] = match.slice(1).map((n) =>
    Number(n ?? 0)
  );
  return { minReplicas, maxReplicas, targetCpuPercent };
}

const reference = (kind: string, value: string): Reference =>
  kind === "secret" ? { case: "secret", value } : { case: "config", value };
