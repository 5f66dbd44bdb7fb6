import { threadCpuUsage } from "node:process";

/** The CPU time of deliveries after which other work gets its turn. */
const SLICE_MS = 4;

/** Other work gets this multiple of the time of the deliveries before it, if it needs that. */
const REST_FACTOR = 3;

/** After this many consecutive timers without other work, there is none. */
const IDLE_TIMERS = 2;

/** A timer during which more CPU time passes than this has waited for other work. */
const IDLE_MS = 0.5;

/** The time is read after this many deliveries, because reading it takes some microseconds. */
const LOOK_EVERY = 8;

/** The clock for the pace of deliveries. */
export interface PaceTime {
  /**
   * CPU time of this thread in milliseconds: while other processes have the CPU, neither deliveries
   * nor calls go on.
   */
  used(): number;
  after(ms: number): Promise<void>;
}

const REAL_TIME: PaceTime = {
  used() {
    const { user, system } = threadCpuUsage();
    return (user + system) / 1_000;
  },
  after: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Gives streams turns to write their messages. Deliveries to thousands of streams take at most a
 * quarter of the CPU time while calls need the rest, so that calls stay quick; messages that arrive
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
      const start = this.#time.used();
      let given = 0;
      // Streams that ask again while these write come later, so that their messages accumulate.
      const waiting = this.#waiting;
      this.#waiting = [];
      while (given < waiting.length) {
        waiting[given++]!();
        // The stream writes before this goes on.
        await Promise.resolve();
        if (given % LOOK_EVERY === 0 && this.#time.used() - start > SLICE_MS) break;
      }
      this.#waiting = [...waiting.slice(given), ...this.#waiting];
      await this.#rest(this.#time.used() - start);
    }
    this.#running = false;
  }

  /** Leaves the event loop to other work until it has had its share, or there is none. */
  async #rest(sliceMs: number): Promise<void> {
    let [others, idle] = [0, 0];
    while (others < REST_FACTOR * sliceMs && idle < IDLE_TIMERS) {
      const start = this.#time.used();
      await this.#time.after(1);
      const used = this.#time.used() - start;
      others += used;
      idle = used > IDLE_MS ? 0 : idle + 1;
    }
  }
}
