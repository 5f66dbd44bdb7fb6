import { setImmediate } from "node:timers/promises";

/** Counts calls, so that who shuts down can wait for those that run. */
export class RunningCalls {
  #count = 0;
  #idle = Promise.withResolvers<void>();

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** Resolves when no call runs and the last answers have been handed to the system. */
  async idle(): Promise<void> {
    while (this.#count > 0) {
      await this.#idle.promise;
      await setImmediate();
    }
  }
}
