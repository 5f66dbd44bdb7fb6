/** Plots as SVG, drawn on the server. Each says in words what it shows. */
import type { Tone } from "./state.tsx";

/** A part of a bar. */
export interface Portion {
  readonly tone: Tone;
  readonly value: number;
}

/** One bar of a plot. */
export interface Bar {
  /** What is said on hover. */
  readonly title: string;
  /** From the bottom up. */
  readonly portions: readonly Portion[];
}

const HEIGHT = 72;
const STEP = 20;
const WIDTH = 14;

/** Stacked bars of equal intervals, the latest at the right. */
export function Bars({ of, label }: { readonly of: readonly Bar[]; readonly label: string }) {
  const highest = Math.max(1, ...of.map(({ portions }) => sum(portions)));
  return (
    <svg
      class="plot"
      viewBox={`0 0 ${of.length * STEP} ${HEIGHT + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="plot-line" d={`M0 ${HEIGHT + 1}H${of.length * STEP}`} />
      {of.map(({ title, portions }, index) => {
        let top = HEIGHT;
        return (
          <g key={index}>
            <title>{title}</title>
            <rect class="plot-hit" x={index * STEP} y="0" width={STEP} height={HEIGHT} />
            {portions.filter(({ value }) => value > 0).map(({ tone, value }) => {
              const height = Math.max(2, value / highest * (HEIGHT - 4));
              top -= height;
              return (
                <rect
                  key={tone}
                  class={`plot-bar ${tone}`}
                  x={index * STEP + (STEP - WIDTH) / 2}
                  y={round(top)}
                  width={WIDTH}
                  height={round(height)}
                />
              );
            })}
          </g>
        );
      })}
    </svg>
  );
}

/** How much of a limit is used, as a bar and in words. */
export function UsageBar({ title, used, limit, share }: {
  readonly title: string;
  readonly used: string;
  /** Undefined if there is no limit. */
  readonly limit: string | undefined;
  /** Used of the limit, 0 to 1 and more. */
  readonly share: number;
}) {
  const tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "ok";
  return (
    <div class="usage">
      <div class="usage-text">
        <span>{title}</span>
        <span class="muted">
          {limit === undefined ? `${used}, no limit` : `${used} of ${limit}`}
        </span>
      </div>
      <svg class="usage-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="usage-ground" width="100" height="6" rx="1" />
        {limit === undefined || share <= 0 ? null : (
          <rect
            class={`plot-bar ${tone}`}
            width={round(Math.min(1, share) * 100)}
            height="6"
            rx="1"
          />
        )}
      </svg>
    </div>
  );
}

const sum = (portions: readonly Portion[]) =>
  portions.reduce((total, { value }) => total + value, 0);

const round = (value: number) => Math.round(value * 100) / 100;
