/** Label selectors of `-l`: `team=web,tier!=db,owner,!old,zone in (a,b)`. */
import { usageError } from "../errors/cli_error.ts";

/** One condition. All conditions of a selector must hold. */
export interface LabelCondition {
  readonly key: string;
  /** `notin` also selects resources without the label, as in Kubernetes. */
  readonly op: "in" | "notin" | "exists" | "absent";
  readonly values: readonly string[];
}

/** A label key, with or without a prefix (Kubernetes, "Labels and Selectors"). */
const KEY = new RegExp(
  String
    .raw`^(?=.{1,317}$)(?:(?=[^/]{1,253}/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)?(?=[^/]{1,63}$)[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$`,
);
const VALUE = /^(?=.{0,63}$)(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

const TOKEN = /\s*([(),]|==|!=|[=!<>]|[^\s(),=!<>]+)\s*/y;

/**
 * Parses a label selector in Kubernetes' grammar ("Labels and Selectors"); a blank text has no
 * conditions.
 * @throws {CliError} usage
 */
export function parseSelector(text: string): readonly LabelCondition[] {
  if (text.trim() === "") return [];
  const tokens = tokensOf(text);
  const conditions: LabelCondition[] = [];
  for (;;) {
    conditions.push(requirement(tokens, text));
    const next = tokens.shift();
    if (next === undefined) return conditions;
    if (next !== ",") throw notSelector(text, `'${next}' is where a comma must be`);
  }
}

/** Every text that is not blank consists of tokens. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const next = new RegExp(TOKEN);
  for (let found = next.exec(text); found; found = next.exec(text)) tokens.push(found[1] ?? "");
  return tokens;
}

function requirement(tokens: string[], text: string): LabelCondition {
  if (tokens[0] === "!") {
    tokens.shift();
    return { key: keyOf(tokens.shift(), text), op: "absent", values: [] };
  }
  const key = keyOf(tokens.shift(), text);
  const [operator] = tokens;
  if (operator === undefined || operator === ",") return { key, op: "exists", values: [] };
  tokens.shift();
  switch (operator) {
    case "=":
    case "==":
      return { key, op: "in", values: [valueOf(tokens, text)] };
    case "!=":
      return { key, op: "notin", values: [valueOf(tokens, text)] };
    case "in":
    case "notin":
      return { key, op: operator, values: valuesOf(tokens, text) };
    default:
      throw notSelector(text, `'${operator}' is no operator`);
  }
}

function valuesOf(tokens: string[], text: string): readonly string[] {
  if (tokens.shift() !== "(") throw notSelector(text, "a list of values must begin with '('");
  const values: string[] = [];
  for (;;) {
    values.push(valueOf(tokens, text));
    const next = tokens.shift();
    if (next === ")") return values;
    if (next !== ",") throw notSelector(text, "a list of values must end with ')'");
  }
}

/** A value; it may be empty. */
function valueOf(tokens: string[], text: string): string {
  const [next] = tokens;
  if (next === undefined || next === "," || next === ")") return "";
  tokens.shift();
  if (!VALUE.test(next)) throw notSelector(text, `'${next}' cannot be the value of a label`);
  return next;
}

function keyOf(token: string | undefined, text: string): string {
  if (token !== undefined && KEY.test(token)) return token;
  throw notSelector(
    text,
    token === undefined ? "a key is missing at its end" : `'${token}' cannot be the key of a label`,
  );
}

const notSelector = (text: string, problem: string): Error =>
  usageError(
    `Cannot select by '${text}': ${problem}; must be KEY=VALUE, KEY!=VALUE, KEY, !KEY, ` +
      "KEY in (A,B) or KEY notin (A,B), separated by commas",
  );

/** Renders a selector as a filter of the API (AIP-160), where OR binds tighter than AND. */
export function selectorFilter(conditions: readonly LabelCondition[]): string {
  return conditions.map(({ key, op, values }) => {
    switch (op) {
      case "exists":
        return `labels:"${key}"`;
      case "absent":
        return `NOT labels:"${key}"`;
      case "in":
        return values.map((value) => `labels.${key} = "${value}"`).join(" OR ");
      case "notin":
        return values.map((value) => `labels.${key} != "${value}"`).join(" AND ");
    }
  }).join(" AND ");
}

/** Whether a selector selects these labels. */
export function selects(
  conditions: readonly LabelCondition[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return conditions.every(({ key, op, values }) => {
    const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (op === "exists") return found !== undefined;
    if (op === "absent") return found === undefined;
    return (found !== undefined && values.includes(found)) === (op === "in");
  });
}
