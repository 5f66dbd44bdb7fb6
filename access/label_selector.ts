import { type Filter, labelKeyProblem, labelValueProblem } from "@mpc/domain";

const REQUIREMENT =
  /^(?:(?<absent>!)\s*(?<gone>[^\s=!(),]+)|(?<key>[^\s=!(),]+)(?:\s*(?<op>==?|!=)\s*(?<value>[^\s=!(),]*)|\s+(?<set>in|notin)\s*\((?<values>[^()]*)\))?)$/;

/**
 * Parses a label selector in Kubernetes' grammar ("Labels and Selectors").
 * @returns a filter over documents with `labels`, or what is wrong with the text
 */
export function parseLabelSelector(text: string): Filter | string {
  const terms: Filter[] = [];
  // A comma inside of parentheses separates values.
  for (const part of text.split(/,(?![^()]*\))/)) {
    const term = requirement(part.trim());
    if (typeof term === "string") return term;
    terms.push(term);
  }
  return { op: "and", terms };
}

function requirement(text: string): Filter | string {
  const groups = REQUIREMENT.exec(text)?.groups;
  if (!groups) {
    return `'${text}' must be KEY=VALUE, KEY!=VALUE, KEY, !KEY, KEY in (A,B) or KEY notin (A,B)`;
  }
  const key = groups["key"] ?? groups["gone"] ?? "";
  const keyProblem = labelKeyProblem(key);
  if (keyProblem) return `'${text}' ${keyProblem}`;
  const has: Filter = { op: ":", path: ["labels"], value: key };
  if (groups["absent"]) return { op: "not", term: has };
  const { op, set } = groups;
  if (!op && !set) return has;
  const values = set
    ? (groups["values"] ?? "").split(",").map((value) => value.trim())
    : [groups["value"] ?? ""];
  const wrong = values.map(labelValueProblem).find((problem) => problem !== undefined);
  if (wrong) return `a value in '${text}' ${wrong}`;
  const equal: Filter = {
    op: "or",
    terms: values.map((value) => ({ op: "=", path: ["labels", key], value })),
  };
  return op === "!=" || set === "notin" ? { op: "not", term: equal } : equal;
}
