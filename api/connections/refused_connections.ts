import type { Logger } from "@logtape/logtape";

/** The shortest time between two lines. */
const EVERY_MS = 10_000;

/**
 * Logs connections that are refused because their peer has too many. A line for each would fill the
 * log, and would delay other callers more than the connections do (measured).
 */
export class RefusedConnections {
  readonly #log: Logger;
  #count = 0;
  #loggedAt = -Infinity;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(address: string): void {
    this.#count++;
    const now = performance.now();
    if (now - this.#loggedAt < EVERY_MS) return;
    this.#log.warn("Connection of {address} refused: too many; {count} since the last such line", {
      address,
      count: this.#count,
    });
    this.#count = 0;
    this.#loggedAt = now;
  }
}
