/** Times for people; used by pages and in the browser, so it imports nothing. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [DAY, "d"],
  [HOUR, "h"],
  [MINUTE, "m"],
  [SECOND, "s"],
];

/** A span of time in its two largest units: `850 ms`, `4.2s`, `3m 5s`, `2d 4h`. */
export function spanOf(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const at = UNITS.findIndex(([unit]) => ms >= unit);
  const [unit, name] = UNITS[at]!;
  const [next, nextName] = UNITS[at + 1] ?? [0, ""];
  const rest = next ? Math.floor((ms % unit) / next) : 0;
  return `${Math.floor(ms / unit)}${name}${rest ? ` ${rest}${nextName}` : ""}`;
}

/** A moment as seen from now, in its largest unit: `just now`, `5m ago`, `in 3h`. */
export function relative(ms: number, now: number): string {
  const away = Math.abs(ms - now);
  if (away < 5 * SECOND) return ms > now ? "in a moment" : "just now";
  const [unit, name] = UNITS.find(([unit]) => away >= unit) ?? [SECOND, "s"];
  const count = `${Math.floor(away / unit)}${name}`;
  return ms > now ? `in ${count}` : `${count} ago`;
}
