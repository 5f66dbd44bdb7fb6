/** Values of flags. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import parseDuration from "parse-duration";

/** `8h`, `90m`, `1h30m`, in milliseconds. */
export function duration(text: string): number {
  const ms = /^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text) ? parseDuration(text) : undefined;
  if (ms && ms > 0) return ms;
  throw new InvalidArgumentError("Must be a duration such as 30s, 90m, 8h or 1h30m.");
}

/** A whole number. */
export function integer(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Must be a whole number.");
}

/** How many, at least one. */
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

/** A port as it is typed. */
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
