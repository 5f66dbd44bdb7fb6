import { setImmediate } from "node:timers";
import { type Instant, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

interface Timer {
  /** By the monotonic clock. */
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that advances only when a test says so. */
export class FakeClock implements Clock {
  /** How far the wall clock is ahead of the monotonic one. */
  #offset: number;
  /** Far from the wall clock and from 0, so that what takes one clock for the other fails. */
  #monotonic = 7_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: Instant = Date.UTC(2030, 0, 1)) {
    this.#offset = now - this.#monotonic;
  }

  now(): Instant {
    return this.#monotonic + this.#offset;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#timers.delete(timer);
        reject(aborted(signal));
      };
      const timer: Timer = {
        at: this.#monotonic + ms,
        order: this.#order++,
        fire: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#timers.add(timer);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** How many sleeps are waiting. */
  get sleepers(): number {
    return this.#timers.size;
  }

  /** When the next sleeper wakes; undefined if there is none. */
  get nextWake(): Instant | undefined {
    const next = this.#next();
    return next && next.at + this.#offset;
  }

  /** Sets the wall clock forward, or back; timers do not notice. */
  step(ms: number): void {
    this.#offset += ms;
  }

  /** Puts the machine to sleep and wakes it: timers and the monotonic clock stand still meanwhile. */
  suspend(ms: number): void {
    this.step(ms);
  }

  /** Moves both clocks on, waking sleepers in order and letting what they start run to its next wait. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let timer = this.#next(); timer && timer.at <= end; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#monotonic = timer.at;
      timer.fire();
      await settle();
    }
    this.#monotonic = end;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** I/O that belongs to a test: it is not a wait for time to pass. */
const io = new Set<Promise<unknown>>();

/** Makes {@linkcode settle} wait for I/O. */
export function duringIo<T>(call: Promise<T>): Promise<T> {
  const ended = () => io.delete(call);
  io.add(call);
  call.then(ended, ended);
  return call;
}

/** Lets everything that is ready run, until only timers and other I/O are left. */
export async function settle(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    for (; io.size > 0; turn = 0) await Promise.allSettled(io);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function aborted(signal: AbortSignal | undefined): MpcError {
  return new MpcError("CANCELLED", {
    reason: "ABORTED_BY_CALLER",
    message: "Cannot go on sleeping: the caller aborted",
    cause: signal?.reason,
  });
}
