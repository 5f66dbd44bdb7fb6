/** One measurement of one run. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with. */
  readonly reference?: string;
  /** The value as a ratio to its reference. */
  readonly ratio?: number;
  readonly target?: { readonly max?: number; readonly min?: number };
  readonly note?: string;
}

/** Whether a row reaches its target; undefined if it has none. */
export function reached({ ratio, value, target }: BenchRow): boolean | undefined {
  if (!target) return undefined;
  const measured = ratio ?? value;
  return measured <= (target.max ?? Infinity) && measured >= (target.min ?? -Infinity);
}
