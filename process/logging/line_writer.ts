/** Where lines go; `Deno.stdout` is one. */
export interface LineOutput {
  write(bytes: Uint8Array): Promise<number>;
}

/** How much waits for an output that does not take it, in characters; later lines are dropped. */
const MAX_WAITING = 4 * 1_024 * 1_024;

/** How much is written at once, in characters. */
const MAX_BATCH = 64 * 1_024;

/** How long lines are gathered before they are written together. */
const GATHER_MS = 5;

/** The pause after a failure. */
const PAUSE_MS = 1_000;

/** How long closing waits for an output that does not take the rest. */
const CLOSE_MS = 1_000;

const encoder = new TextEncoder();

/**
 * Writes lines in the background, so that an output that is full, closed or not read delays and fails
 * nobody. Lines that it does not take are dropped and counted; it is tried again every second.
 */
export class LineWriter {
  readonly #output: LineOutput;
  readonly #onDropped: (count: number) => string | undefined;
  #waiting: string[] = [];
  #size = 0;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #untold = 0;
  #closing = new AbortController();

  /**
   * @param onDropped called with the number of lost lines when lines are written again
   * @returns from `onDropped` a line that is written first; undefined for none
   */
  constructor(output: LineOutput, onDropped: (count: number) => string | undefined) {
    this.#output = output;
    this.#onDropped = onDropped;
  }

  /** How many lines were lost. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Accepts a line, which ends with a line break. */
  write(line: string): void {
    if (this.#size + line.length > MAX_WAITING) return this.#lose(1);
    this.#waiting.push(line);
    this.#size += line.length;
    this.#writing ??= this.#drain();
  }

  /** @returns whether everything is written; false if the output does not take it */
  async close(): Promise<boolean> {
    this.#closing.abort();
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), CLOSE_MS);
    const done = (this.#writing ?? Promise.resolve()).then(() => true);
    const isDone = await Promise.race([done, late.promise]);
    clearTimeout(timer);
    return isDone;
  }

  async #drain(): Promise<void> {
    await this.#pause(GATHER_MS);
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const isLast = this.#closing.signal.aborted;
      try {
        await this.#writeAll(batch.join(""));
        if (this.#untold > 0) this.#tellLost();
      } catch {
        // Nowhere is left to say so: the count is on the page of metrics, and in the next line.
        this.#lose(batch.length);
        if (isLast) this.#lose(this.#waiting.splice(0).length);
        await this.#pause(PAUSE_MS);
      }
    }
    this.#size = 0;
    this.#writing = undefined;
  }

  #nextBatch(): readonly string[] {
    let [count, size] = [0, 0];
    while (count < this.#waiting.length && (count === 0 || size < MAX_BATCH)) {
      size += this.#waiting[count++]!.length;
    }
    this.#size -= size;
    return this.#waiting.splice(0, count);
  }

  async #writeAll(text: string): Promise<void> {
    for (let bytes = encoder.encode(text); bytes.length > 0;) {
      bytes = bytes.subarray(await this.#output.write(bytes));
    }
  }

  #lose(count: number): void {
    this.#dropped += count;
    this.#untold += count;
  }

  #tellLost(): void {
    const line = this.#onDropped(this.#untold);
    this.#untold = 0;
    if (line !== undefined) this.#waiting.unshift(line);
  }

  /** Ends early when the writer is closed. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    const over = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      over.resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    return over.promise;
  }
}
