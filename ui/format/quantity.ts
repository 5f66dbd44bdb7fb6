/** Kubernetes quantities, for sums and shares that are only shown. */

const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** The number that a quantity stands for, cores or bytes; 0 if it is none. */
export function quantity(text: string): number {
  const [, digits = "", unit = ""] = /^([\d.]+(?:e\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const value = Number(digits) * (FACTORS[unit] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/** Cores: `1.5`, or `250m` below one. */
export const cores = (value: number): string =>
  value > 0 && value < 1 ? `${Math.round(value * 1_000)}m` : String(Math.round(value * 100) / 100);

/** Bytes in the largest binary unit: `1.5Gi`. */
export function bytes(value: number): string {
  const unit = ["Ti", "Gi", "Mi", "Ki"].find((unit) => value >= FACTORS[unit]!) ?? "";
  return `${Math.round(value / FACTORS[unit]! * 10) / 10}${unit}`;
}
