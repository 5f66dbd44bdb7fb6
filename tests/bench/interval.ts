/** A ratio of medians, and the interval that holds it with a probability of 95 %. */
import { quantile } from "./measure.ts";

const RESAMPLES = 2_000;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The interval of the ratio of two medians, by the bootstrap: the ratios of the medians of samples
 * that are drawn with replacement (Efron and Tibshirani, "An Introduction to the Bootstrap", the
 * percentile interval).
 */
export function ratioInterval(
  values: readonly number[],
  reference: readonly number[],
  random: () => number = Math.random,
): Interval {
  const draw = (all: readonly number[]) => all.map(() => all[Math.floor(random() * all.length)]!);
  const ratios = Array.from(
    { length: RESAMPLES },
    () => quantile(draw(values)) / quantile(draw(reference)),
  );
  return { low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/** For a table: `95 %: 0.61 to 0.70, n = 30`. */
export function intervalNote(values: readonly number[], reference: readonly number[]): string {
  const { low, high } = ratioInterval(values, reference);
  return `95 %: ${low.toFixed(2)} to ${high.toFixed(2)}, n = ${values.length}`;
}

/** The same items in random order (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], random: () => number = Math.random): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
