/** How long deliveries go on until other work gets its turn. */
const SLICE_MS = 4;

/** Other work gets this many times as long as the deliveries before it took, if it needs that. */
const REST_FACTOR = 3;

/** Other work is done when so many timers in a row were on time. */
const IDLE_TIMERS = 2;

/** A timer that is later than this waited for other work. */
const LATE_MS = 1;

/** Time as the pace of deliveries needs it: monotonic. */
export interface PaceTime {
  now(): number;
  after(ms: number): Promise<void>;
}

const REAL_TIME: PaceTime = {
  now: () => performance.now(),
  after: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Gives streams turns to write their messages. Deliveries to thousands of streams take at most a
 * quarter of the time while calls need the rest, so that calls stay quick; messages that arrive
 * between a stream's turns are written together in its next one. While there is nothing else to do,
 * deliveries hardly wait.
 */
export class DeliveryPace {
  readonly #time: PaceTime;
  #waiting: (() => void)[] = [];
  #running = false;

  constructor(time: PaceTime = REAL_TIME) {
    this.#time = time;
  }

  /** Resolves when a stream may write; streams take turns in the order in which they asked. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running) return;
      this.#running = true;
      this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const start = this.#time.now();
      const waiting = this.#waiting;
      this.#waiting = [];
      let next = 0;
      while (next < waiting.length && this.#time.now() - start < SLICE_MS) {
        waiting[next++]!();
        // The stream writes before this goes on.
        await Promise.resolve();
      }
      this.#waiting = [...waiting.slice(next), ...this.#waiting];
      await this.#rest(this.#time.now() - start);
    }
    this.#running = false;
  }

  /** Leaves the event loop to other work until that has had its share, or there is none. */
  async #rest(sliceMs: number): Promise<void> {
    let [others, idle] = [0, 0];
    while (others < REST_FACTOR * sliceMs && idle < IDLE_TIMERS) {
      const asked = this.#time.now();
      await this.#time.after(1);
      const late = this.#time.now() - asked - 1;
      if (late > LATE_MS) {
        others += late;
        idle = 0;
      } else idle++;
    }
  }
}
