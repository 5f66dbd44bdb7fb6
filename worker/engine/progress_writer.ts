import { getLogger } from "@logtape/logtape";
import { type JsonValue, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";

const log = getLogger(["mpc", "engine"]);

/** The minimum time between two writes of progress. */
const INTERVAL_MS = 500;

/** Writes a step's progress: the first report at once, later reports at a limited rate. */
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

  /** Takes the latest report. */
  note(progress: string, detail: JsonValue): void {
    this.#latest = { progress, detail };
    this.#loop ??= this.#drain().catch((error) => {
      // Only a progress text is lost: the step's next write includes it, or fails visibly.
      log.warn("Cannot write progress: {error}", { error: recordError(error) });
    }).finally(() => this.#loop = undefined);
  }

  /** Resolves when no write is in progress. Call it after aborting the signal. */
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
