/** The waterfall of an operation, as SVG drawn on the server. */
import { spanOf } from "../format/time.ts";
import type { Tone } from "./state.tsx";
import { Text } from "./text.tsx";

/** A span of time in a row. */
export interface WaterfallSpan {
  readonly tone: Tone;
  readonly fromMs: number;
  readonly toMs: number;
  /** What is said on hover. */
  readonly title: string;
}

export interface WaterfallRow {
  readonly name: string;
  readonly spans: readonly WaterfallSpan[];
}

const WIDTH = 1_000;
const HEIGHT = 14;

/** Spans of one row that are drawn; the newest ones. */
const MAX_SPANS = 200;

/** Rows of spans over the same time, each with how long it took in words. */
export function Waterfall({ rows, fromMs, toMs, deadlineMs }: {
  readonly rows: readonly WaterfallRow[];
  readonly fromMs: number;
  readonly toMs: number;
  /** When the operation ends at the latest; undefined if that no longer matters. */
  readonly deadlineMs: number | undefined;
}) {
  const x = (ms: number) => round((ms - fromMs) / (toMs - fromMs) * WIDTH);
  return (
    <div class="waterfall" role="group" aria-label="How the time went, step by step">
      {rows.map(({ name, spans }) => (
        <div key={name} class="waterfall-row">
          <span class="waterfall-name mono">
            <Text of={name} max={60} />
          </span>
          <svg
            class="waterfall-track"
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            aria-hidden="true"
          >
            <rect class="usage-ground" width={WIDTH} height={HEIGHT} />
            {spans.slice(-MAX_SPANS).map((span, index) => (
              <rect
                key={index}
                class={`plot-bar ${span.tone}`}
                x={x(span.fromMs)}
                y="2"
                width={Math.max(2, x(span.toMs) - x(span.fromMs))}
                height={HEIGHT - 4}
              >
                <title>{span.title}</title>
              </rect>
            ))}
          </svg>
          <span class="num waterfall-took">{spans.length === 0 ? "—" : spanOf(total(spans))}</span>
        </div>
      ))}
      {deadlineMs === undefined ? null : (
        <p class="quiet small">
          {deadlineMs > toMs
            ? `Ends in ${spanOf(deadlineMs - toMs)} at the latest.`
            : "Its deadline has passed."}
        </p>
      )}
    </div>
  );
}

const total = (spans: readonly WaterfallSpan[]) =>
  Math.max(...spans.map(({ toMs }) => toMs)) - Math.min(...spans.map(({ fromMs }) => fromMs));

const round = (value: number) => Math.round(value * 10) / 10;
