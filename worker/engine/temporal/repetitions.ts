import type { Clock } from "@mpc/services";

/** How long a repeated line is only counted. */
const WINDOW_MS = 60_000;

/** The number of lines that are remembered. */
const REMEMBERED = 1_000;

interface Said {
  /** By the monotonic clock. */
  readonly at: number;
  repeated: number;
}

/** Finds log lines that repeat an earlier one; lines that differ only in numbers are equal. */
export class Repetitions {
  readonly #clock: Clock;
  readonly #said = new Map<string, Said>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @returns null for a line that was logged within the last minute; otherwise how often it has been
   *   repeated since it was logged
   */
  of(line: string): number | null {
    const key = line.replaceAll(/\d+/g, "0");
    const now = this.#clock.monotonic();
    const before = this.#said.get(key);
    if (before && now - before.at < WINDOW_MS) {
      before.repeated++;
      return null;
    }
    this.#said.delete(key);
    this.#said.set(key, { at: now, repeated: 0 });
    const [oldest] = this.#said.keys();
    if (this.#said.size > REMEMBERED && oldest !== undefined) this.#said.delete(oldest);
    return before?.repeated ?? 0;
  }
}
