/** Kubernetes quantities ("Resource units in Kubernetes"), as exact integers of a base unit. */

const QUANTITY = /^(\d+(?:\.\d+)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE]\d{1,2})?$/;

const DECIMAL = ["k", "M", "G", "T", "P", "E"];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Thousandths of a core; undefined if `text` is not a quantity. Rounds up, like Kubernetes. */
export function parseCpuMillis(text: string): number | undefined {
  const value = parse(text);
  return value === undefined ? undefined : roundUp(value * 1_000);
}

/** Bytes; undefined if `text` is not a quantity. Rounds up, like Kubernetes. */
export function parseMemoryBytes(text: string): number | undefined {
  const value = parse(text);
  return value === undefined ? undefined : roundUp(value);
}

/** Formats thousandths of a core: `2`, `500m`. */
export function formatCpu(millis: number): string {
  return millis % 1_000 === 0 ? String(millis / 1_000) : `${millis}m`;
}

/** Formats bytes with the largest binary unit that represents them exactly: `512Mi`, `1000`. */
export function formatMemory(bytes: number): string {
  for (let power = BINARY.length; power > 0; power--) {
    const unit = 1024 ** power;
    if (bytes !== 0 && bytes % unit === 0) return `${bytes / unit}${BINARY[power - 1]}`;
  }
  return String(bytes);
}

function parse(text: string): number | undefined {
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, digits, unit = ""] = match;
  const value = Number(digits) * factor(unit);
  return Number.isFinite(value) && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function factor(unit: string): number {
  if (unit === "") return 1;
  if (unit === "m") return 1 / 1_000;
  if (BINARY.includes(unit)) return 1024 ** (BINARY.indexOf(unit) + 1);
  if (DECIMAL.includes(unit)) return 1_000 ** (DECIMAL.indexOf(unit) + 1);
  return 10 ** Number(unit.slice(1));
}

/** Rounds up, except for the rounding error of a binary fraction: 1.1 cores are 1100, not 1101. */
function roundUp(value: number): number {
  const near = Math.round(value);
  return Math.abs(value - near) < 1e-6 * Math.max(1, Math.abs(value)) ? near : Math.ceil(value);
}
