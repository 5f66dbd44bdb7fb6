import type { Ids } from "@mpc/services";

/** Ids and random numbers that are the same in every run with the same seed. */
export class SeededIds implements Ids {
  #count = 0;
  #state: number;

  readonly #space: string;

  /** @param space ids of different spaces are different */
  constructor(seed = 1, space = 0) {
    this.#state = seed >>> 0;
    this.#space = space.toString(16).padStart(8, "0");
  }

  uuid(): string {
    this.#count++;
    return `${this.#space}-0000-7000-8000-${this.#count.toString(16).padStart(12, "0")}`;
  }

  /** Mulberry32: small, and sufficiently uniform for jitter. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
