/** The JSON Schema of log lines, made from the fields that they may have: `deno task docs`. */
import { LOG_CATEGORIES, LOG_FIELDS, LOG_LEVELS, type LogField } from "@mpc/process";

const text = { type: "string" } as const;

const ERROR_LINK = {
  code: { ...text, pattern: "^[A-Z_]+$" },
  reason: text,
  message: text,
} as const;

const ERROR = {
  type: "object",
  additionalProperties: false,
  required: ["code", "reason", "message", "causes"],
  properties: {
    ...ERROR_LINK,
    causes: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: Object.keys(ERROR_LINK),
        properties: ERROR_LINK,
      },
    },
  },
} as const;

const KINDS: Readonly<Record<LogField["kind"], object>> = {
  text,
  number: { type: "number" },
  count: { type: "integer", minimum: 0 },
  boolean: { type: "boolean" },
  error: ERROR,
};

/** More patterns of some fields. */
const PATTERNS: Readonly<Record<string, object>> = {
  traceId: { pattern: "^[0-9a-f]{32}$" },
  operation: { pattern: "^operations/" },
  environment: { pattern: "^environments/" },
  direction: { enum: ["run", "undo"] },
  outcome: { enum: ["succeeded", "failed", "cancelled", "stopped"] },
};

/** What lines of some categories always have. */
const REQUIRED: Readonly<Record<string, readonly (keyof typeof LOG_FIELDS)[]>> = {
  rpc: ["method", "code", "durationMs", "protocol"],
  steps: [
    ...["operation", "kind", "step", "direction", "attempt"] as const,
    ...["resource", "principal", "outcome", "durationMs"] as const,
  ],
};

/** The text of the schema. */
export function logSchemaText(): Promise<string> {
  const fields = Object.entries(LOG_FIELDS).map(([name, { kind, description }]) =>
    [name, { description, ...KINDS[kind], ...PATTERNS[name] }] as const
  );
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:mpc:log-line",
    title: "A log line of the mini platform control plane",
    description:
      "Each line of standard output is one such object, made from process/logging/log_fields.ts by 'deno task docs'.",
    type: "object",
    required: ["time", "level", "category", "message"],
    additionalProperties: false,
    properties: {
      time: { description: "When it was logged, in UTC.", ...text, format: "date-time" },
      level: {
        description: "How serious it is.",
        enum: [...LOG_LEVELS.filter((level) => level !== "off"), "fatal"],
      },
      category: {
        description: "The part of the platform that the line is from.",
        enum: [...LOG_CATEGORIES, "logtape.meta"],
      },
      message: { description: "The line for people.", ...text },
      ...Object.fromEntries(fields),
    },
    allOf: Object.entries(REQUIRED).map(([category, required]) => ({
      if: { properties: { category: { const: category } } },
      then: { required },
    })),
  };
  return Promise.resolve(`${JSON.stringify(schema, null, 2)}\n`);
}
