/** Counts against the limit until it is released. */
export class Slot {
  #release: (() => void) | undefined;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Does nothing the second time. */
  release(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** A limit on how much happens at the same time. Whoever waits for a slot gets it in turn. */
export class Slots {
  readonly #queue: (() => void)[] = [];
  readonly #count: number;
  #free: number;

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** How many slots are taken. */
  get taken(): number {
    return this.#count - this.#free;
  }

  /** How many callers wait for a slot. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws the signal's reason when it is aborted */
  async take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const free = this.tryTake();
    if (free) return free;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const next = () => {
      signal.removeEventListener("abort", abandon);
      resolve();
    };
    const abandon = () => {
      this.#queue.splice(this.#queue.indexOf(next), 1);
      reject(signal.reason);
    };
    this.#queue.push(next);
    signal.addEventListener("abort", abandon, { once: true });
    await promise;
    return this.#slot();
  }

  /** Null if no slot is free. */
  tryTake(): Slot | null {
    if (this.#free === 0) return null;
    this.#free--;
    return this.#slot();
  }

  #slot(): Slot {
    return new Slot(() => {
      const next = this.#queue.shift();
      if (next) next();
      else this.#free++;
    });
  }
}
