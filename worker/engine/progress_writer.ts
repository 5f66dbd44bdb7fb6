import { getLogger } from "@logtape/logtape";
import { type JsonValue, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";

const log = getLogger(["mpc", "engine"]);

/** Between two writes of progress lies at least this. */
const INTERVAL_MS = 500;

/** Passes on what a step says of its progress: the first word at once, then not too often. */
export class ProgressWriter {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #write: (progress: string, detail: JsonValue) => Promise<void>;
  #latest: { progress: string; detail: JsonValue } | undefined;
  #loop: Promise<void> | undefined;

  constructor(
    clock: Clock,
    signal: AbortSignal,
    write: (progress: string, detail: JsonValue) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#signal = signal;
    this.#write = write;
  }

  /** Notes the latest word. */
  note(progress: string, detail: JsonValue): void {
    this.#latest = { progress, detail };
    this.#loop ??= this.#drain().catch((error) => {
      // Only a word is late: the step's next write carries it, or fails for all to see.
      log.warn("Cannot write progress: {error}", { error: recordError(error) });
    }).finally(() => this.#loop = undefined);
  }

  /** Resolves when nothing is being written any more; call it after aborting the signal. */
  async closed(): Promise<void> {
    await this.#loop;
  }

  async #drain(): Promise<void> {
    while (this.#latest && !this.#signal.aborted) {
      const { progress, detail } = this.#latest;
      this.#latest = undefined;
      await this.#write(progress, detail);
      await sleepUnlessAborted(this.#clock, INTERVAL_MS, this.#signal);
    }
  }
}
