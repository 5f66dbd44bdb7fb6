import { setTimeout } from "node:timers/promises";

/** grpc-js hands an answer to HTTP/2 in several turns of the event loop, and tells nobody when. */
const SENDING_MS = 100;

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

  /** Resolves when no call runs and the last answers have had the time to be sent. */
  async idle(): Promise<void> {
    while (this.#count > 0) {
      await this.#idle.promise;
      await setTimeout(SENDING_MS);
    }
  }
}
