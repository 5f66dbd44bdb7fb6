import { z } from "zod";
import { separateWords } from "./camel_case.ts";
import { type FieldViolation, invalidArgument } from "./errors.ts";

/**
 * Parses a request by a schema, and names every invalid field at once.
 *
 * A schema's own checks carry `params: { rule }` and a message that follows the field's name.
 * Messages for zod's other issues are made here. Paths are spelled like the API's fields.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseInput<Schema extends z.ZodType>(
  action: string,
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw invalidArgument(action, result.error.issues.flatMap((issue) => violations(issue, input)));
}

/** A check that names its rule. */
export const check = (
  rule: string,
  message: string,
): { params: { rule: string }; message: string } => ({ params: { rule }, message });

function violations(issue: z.core.$ZodIssue, input: unknown): FieldViolation[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      field: pathOf([...issue.path, key]),
      value: "",
      rule: "UNKNOWN_FIELD",
      hint: "is not a field",
    }));
  }
  const { rule, hint } = describe(issue, at(input, issue.path) === undefined);
  return [{ field: pathOf(issue.path), value: shown(input, issue.path), rule, hint }];
}

function describe(issue: z.core.$ZodIssue, missing: boolean): { rule: string; hint: string } {
  switch (issue.code) {
    case "custom":
      return { rule: String(issue.params?.["rule"] ?? "INVALID"), hint: issue.message };
    case "invalid_type":
      return missing
        ? { rule: "REQUIRED", hint: "must be set" }
        : { rule: "TYPE", hint: `must be ${article(issue.expected)}` };
    case "too_small":
      return { rule: "MINIMUM", hint: `must be at least ${issue.minimum}${unit(issue.origin)}` };
    case "too_big":
      return { rule: "MAXIMUM", hint: `must be at most ${issue.maximum}${unit(issue.origin)}` };
    case "invalid_value":
      return { rule: "ENUM", hint: `must be one of ${issue.values.map(String).join(", ")}` };
    default:
      return { rule: "INVALID", hint: "is not valid" };
  }
}

function unit(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" || origin === "record" ? " entries long" : "";
}

function article(type: string): string {
  if (type === "int") return "a whole number";
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    const text = snakeCase(String(part));
    return index === 0 ? text : /^[a-z_][a-z0-9_]*$/.test(text) ? `.${text}` : `[${text}]`;
  }).join("");
}

/** The API's spelling: snake case, and durations without our unit suffix. */
function snakeCase(text: string): string {
  return /^[a-z][a-zA-Z0-9]*$/.test(text) ? separateWords(text, "_").replace(/_ms$/, "") : text;
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    input,
  );
}

/** Values below these fields may be secret. */
const SECRET_FIELDS = ["env", "values"];

/** The rejected value, shortened; secrets and large values are not shown. */
function shown(input: unknown, path: readonly PropertyKey[]): string {
  if (SECRET_FIELDS.some((field) => path.includes(field))) return "";
  const value = at(input, path);
  if (typeof value === "string") return value.slice(0, 100);
  // Like the API writes a duration.
  if (typeof value === "number" && /Ms$/.test(String(path.at(-1)))) return `${value / 1_000}s`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
