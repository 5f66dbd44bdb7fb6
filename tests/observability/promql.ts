/** What expressions of PromQL contain, by the parser of Prometheus' own editor. */
import type { SyntaxNodeRef } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** One selector of series. */
export interface Selector {
  readonly metric: string;
  /** The labels that it matches. */
  readonly labels: readonly string[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** The labels that series are grouped or joined by. */
  readonly groupedBy: readonly string[];
}

/**
 * Parses an expression.
 * @throws {SyntaxError} if it is not PromQL
 */
export function readExpression(text: string): Expression {
  const selectors: { metric: string; labels: string[] }[] = [];
  const groupedBy: string[] = [];
  walk(text, (node) => {
    const source = text.slice(node.from, node.to);
    const parent = node.node.parent?.name;
    if (node.name === "VectorSelector") selectors.push({ metric: "", labels: [] });
    else if (node.name === "Identifier" && parent === "VectorSelector") {
      selectors.at(-1)!.metric = source;
    } else if (node.name === "LabelName") {
      if (parent === "GroupingLabels") groupedBy.push(source);
      else selectors.at(-1)!.labels.push(source);
    }
  });
  return { selectors, groupedBy };
}

/** The expression with all its durations multiplied. */
export function scaleDurations(text: string, factor: number): string {
  let scaled = "";
  let done = 0;
  walk(text, (node) => {
    if (!node.name.startsWith("NumberDurationLiteral")) return;
    const source = text.slice(node.from, node.to);
    if (!/[smhdwy]$/.test(source)) return;
    scaled += text.slice(done, node.from) + scaleDuration(source, factor);
    done = node.to;
  });
  return scaled + text.slice(done);
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `5m`, multiplied, in milliseconds. */
export function scaleDuration(text: string, factor: number): string {
  const [, amount, unit] = /^(\d+)(ms|[smhd])$/.exec(text) ?? [];
  if (!amount) throw new SyntaxError(`not a duration with one unit: '${text}'`);
  return `${Math.round(Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS] * factor)}ms`;
}

function walk(text: string, enter: (node: SyntaxNodeRef) => void): void {
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) {
        throw new SyntaxError(`not PromQL at character ${node.from}: ${text}`);
      }
      enter(node);
    },
  });
}
