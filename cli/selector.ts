/** Labels as `-l` selects them: `team=web,tier!=db,owner`. */
import { usageError } from "./cli_error.ts";

/** One condition; all of a selector must hold. */
export interface LabelCondition {
  readonly key: string;
  readonly op: "=" | "!=" | "exists";
  readonly value: string;
}

/** @throws {CliError} usage */
export function parseSelector(text: string): readonly LabelCondition[] {
  return text.split(",").filter((part) => part.trim() !== "").map((part) => {
    const match = /^\s*([^=!\s"]+)\s*(?:(==?|!=)\s*([^=!"]*))?$/.exec(part);
    if (!match) {
      throw usageError(`Cannot select by '${part}': must be KEY=VALUE, KEY!=VALUE or KEY`);
    }
    const [, key = "", op, value = ""] = match;
    const kind = op === undefined ? "exists" : op === "!=" ? "!=" : "=";
    return { key, op: kind, value: value.trim() };
  });
}

/** The same as a filter of the API (AIP-160). */
export function selectorFilter(conditions: readonly LabelCondition[]): string {
  return conditions.map(({ key, op, value }) =>
    op === "exists" ? `labels:"${key}"` : `labels.${key} ${op} "${value}"`
  ).join(" AND ");
}

/** Whether labels are selected. */
export function selects(
  conditions: readonly LabelCondition[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return conditions.every(({ key, op, value }) => {
    const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (op === "exists") return found !== undefined;
    return op === "=" ? found === value : found !== value;
  });
}
