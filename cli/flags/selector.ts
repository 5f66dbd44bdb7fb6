/** Label selectors of `-l`: `team=web,tier!=db,owner,!old,zone in (a,b)`. */
import { usageError } from "../errors/cli_error.ts";

/** One condition. All conditions of a selector must hold. */
export interface LabelCondition {
  readonly key: string;
  /** `notin` also selects resources without the label, as in Kubernetes. */
  readonly op: "in" | "notin" | "exists" | "absent";
  readonly values: readonly string[];
}

const KEY = String.raw`[^=!\s"(),]+`;
const PART = new RegExp(
  String
    .raw`\s*(?:!\s*(?<absent>${KEY})|(?<set>${KEY})\s+(?<how>in|notin)\s*\((?<values>[^()"]*)\)|(?<key>${KEY})\s*(?:(?<op>==?|!=)(?<value>[^=!"(),]*))?)\s*(?:,|$)`,
  "y",
);

/** @throws {CliError} usage */
export function parseSelector(text: string): readonly LabelCondition[] {
  const conditions: LabelCondition[] = [];
  const parts = new RegExp(PART);
  while (text.slice(parts.lastIndex).trim() !== "") {
    const at = parts.lastIndex;
    const found = parts.exec(text)?.groups;
    if (!found) {
      const rest = text.slice(at).trim();
      throw usageError(
        `Cannot select by '${rest}': must be KEY=VALUE, KEY!=VALUE, KEY, !KEY, KEY in (A,B) or KEY notin (A,B)`,
      );
    }
    conditions.push(conditionOf(found));
  }
  return conditions;
}

function conditionOf(
  { absent, set, how, values = "", key = "", op, value = "" }: Record<string, string | undefined>,
): LabelCondition {
  if (absent !== undefined) return { key: absent, op: "absent", values: [] };
  if (set !== undefined) {
    const list = values.split(",").map((item) => item.trim());
    return { key: set, op: how === "in" ? "in" : "notin", values: list };
  }
  if (op === undefined) return { key, op: "exists", values: [] };
  return { key, op: op === "!=" ? "notin" : "in", values: [value.trim()] };
}

/** Translates a selector into a filter of the API (AIP-160), where OR binds tighter than AND. */
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
