import type { LogRecord } from "@logtape/logtape";
import { type ErrorRecord, recordError } from "@mpc/domain";
import colors from "picocolors";
import { type LogField, logField, MAX_FIELD_LENGTH, MAX_STACK_LENGTH } from "./log_fields.ts";

/** Formats a log record as one line, with its line break. */
export type LineFormat = (record: LogRecord) => string;

/** What stands for a value that the schema of log lines does not have. */
const NOT_IN_SCHEMA = "(redacted)";

/** The categories of the platform begin with this word, which lines leave out. */
const ROOT = "mpc";

type Value = string | number | boolean | LoggedError;
type LoggedError = Pick<ErrorRecord, "code" | "reason" | "message" | "causes">;

/**
 * Characters that JSON leaves as they are and that terminals or viewers act on: C1 controls, line
 * separators and bidirectional formatting (Unicode Standard Annex 9).
 */
const ACTED_ON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const EACH_ACTED_ON = new RegExp(ACTED_ON, "g");

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\\]/g;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A record as a line of JSON, as `docs/log-line.schema.json` describes it. */
export const jsonLine: LineFormat = (record) => {
  const { timestamp, level, category, properties } = record;
  const line: Record<string, Value> = {
    time: isoTime(timestamp),
    level,
    category: nameOf(category),
    message: messageOf(record),
  };
  for (const name in properties) {
    const value = valueOf(logField(name), properties[name], name);
    if (value !== undefined) line[name] = value;
  }
  const json = JSON.stringify(line);
  return `${ACTED_ON.test(json) ? json.replaceAll(EACH_ACTED_ON, escaped) : json}\n`;
};

/** A record as a line for people: its message, and the fields that the message does not have. */
export function prettyLine(options: { readonly color: boolean }): LineFormat {
  const { bold, dim, red, yellow, gray, cyan } = colors.createColors(options.color);
  const paint = { error: red, fatal: red, warning: yellow, info: cyan, debug: gray, trace: gray };
  return (record) => {
    const { timestamp, level, category, properties } = record;
    const template = templateOf(record);
    const time = isoTime(timestamp).slice(11, 23);
    const rest = Object.keys(properties).flatMap((key) => {
      if (template.includes(`{${key}}`)) return [];
      const value = valueOf(logField(key), properties[key], key);
      return value === undefined ? [] : [dim(`${key}=${quoted(visible(textOf(value)))}`)];
    });
    const head = `${dim(time)} ${paint[level](level.toUpperCase().padEnd(7))} ${
      bold(nameOf(category))
    }`;
    return `${[head, visible(messageOf(record)), ...rest].join(" ")}\n`;
  };
}

const visible = (text: string): string =>
  text.replaceAll("\n", " ").replaceAll(CONTROL, escaped).replaceAll(EACH_ACTED_ON, escaped);

const quoted = (text: string): string => /[\s"]/.test(text) ? JSON.stringify(text) : text;

/** The message with the values of its fields. */
function messageOf(record: LogRecord): string {
  const { properties } = record;
  let text = "";
  let isField = false;
  for (const part of partsOf(templateOf(record))) {
    if (isField) {
      const value = valueOf(logField(part), properties[part], part);
      text += value === undefined ? "" : textOf(value);
    } else text += part;
    isField = !isField;
  }
  return text;
}

const PARTS = new Map<string, readonly string[]>();

/** The texts of a template and, between them, the names of its fields. Code has few templates. */
function partsOf(template: string): readonly string[] {
  let parts = PARTS.get(template);
  if (!parts) {
    parts = template.split(/\{(\w+)\}/);
    PARTS.set(template, parts);
  }
  return parts;
}

const nameOf = (category: readonly string[]): string =>
  category.length === 2 && category[0] === ROOT
    ? category[1]!
    : (category[0] === ROOT ? category.slice(1) : category).join(".");

let second = NaN;
let upToSecond = "";

/** A moment in ISO 8601. Most lines are of the same second as the line before. */
function isoTime(timestamp: number): string {
  const ofSecond = Math.floor(timestamp / 1_000);
  if (ofSecond !== second) {
    second = ofSecond;
    upToSecond = new Date(ofSecond * 1_000).toISOString().slice(0, 20);
  }
  return `${upToSecond}${String(Math.floor(timestamp - ofSecond * 1_000)).padStart(3, "0")}Z`;
}

const templateOf = ({ rawMessage }: LogRecord): string =>
  typeof rawMessage === "string" ? rawMessage : rawMessage.join("…");

/** A value as lines have it; undefined for one that is not given. */
function valueOf(field: LogField | undefined, value: unknown, name: string): Value | undefined {
  if (value === undefined || value === null) return undefined;
  if (!field) return NOT_IN_SCHEMA;
  switch (field.kind) {
    case "error":
      return errorOf(value);
    case "number":
    case "count":
      return typeof value === "number" ? value : Number(value);
    case "boolean":
      return Boolean(value);
    case "text":
      return cut(
        typeof value === "string" ? value : isPlain(value) ? String(value) : NOT_IN_SCHEMA,
        name === "stack" ? MAX_STACK_LENGTH : MAX_FIELD_LENGTH,
      );
  }
}

/** Texts and lists of them; other objects might hold anything. */
const isPlain = (value: unknown): boolean =>
  typeof value !== "object" || (Array.isArray(value) && value.every(isPlain)) ||
  value instanceof URL;

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;

function errorOf(value: unknown): LoggedError {
  const { code, reason, message, causes } = isErrorRecord(value) ? value : recordError(value);
  return {
    code,
    reason,
    message,
    causes: causes.map(({ code, reason, message }) => ({ code, reason, message })),
  };
}

const isErrorRecord = (value: unknown): value is LoggedError =>
  typeof value === "object" && value !== null && "code" in value && "reason" in value &&
  "message" in value && "causes" in value && Array.isArray(value.causes);

function textOf(value: Value): string {
  if (typeof value !== "object") return String(value);
  const { code, reason, message, causes } = value;
  const because = causes.map((cause) =>
    `; because ${cause.code} ${cause.reason}: ${cause.message}`
  );
  return `${code} ${reason}: ${message}${because.join("")}`;
}
