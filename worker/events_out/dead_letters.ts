import {
  type DeadLetter,
  deadLetterName,
  deadLettersOf,
  type DeliveryError,
  type Event,
  type Instant,
  isMpcError,
} from "@mpc/domain";
import { pagesOf } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";

/** How many are kept of each sink; beyond that the oldest are removed. */
export const MAX_DEAD_LETTERS = 1_000;

const PAGE = 100;

export interface DeadLetterOptions {
  readonly store: Pick<Store, "deadLetters">;
  /** The sink's name. */
  readonly sink: string;
  readonly signal: AbortSignal;
}

/** The dead letters of one sink, as the process that delivers changes them. */
export class DeadLetters {
  readonly #options: DeadLetterOptions;
  readonly #prefix: string;

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.#prefix = deadLettersOf(options.sink);
  }

  /**
   * Records an event that was not delivered.
   * @returns how many of the oldest were removed to make room
   */
  async add(
    event: Event,
    failed: { readonly attempts: number; readonly error: DeliveryError },
  ): Promise<number> {
    const { store: { deadLetters }, sink, signal } = this.#options;
    const name = deadLetterName(sink, event.sequence);
    for (;;) {
      const found = await deadLetters.get(name, { signal });
      const letter: DeadLetter = {
        name,
        event,
        attempts: (found?.value.attempts ?? 0) + failed.attempts,
        error: failed.error,
        createTime: found?.value.createTime ?? failed.error.time,
        resendTime: null,
      };
      try {
        if (found) await deadLetters.replace(letter, found.version, { signal });
        else await deadLetters.create(letter, { signal });
        break;
      } catch (error) {
        // Somebody has just asked to send it again, or it was removed.
        if (!isMpcError(error, "ALREADY_EXISTS", "ABORTED", "NOT_FOUND")) throw error;
      }
    }
    const excess = await this.count() - MAX_DEAD_LETTERS;
    if (excess <= 0) return 0;
    const { items } = await deadLetters.list({ prefix: this.#prefix, limit: excess, signal });
    await this.#remove(items);
    return items.length;
  }

  async count(): Promise<number> {
    const { store, signal } = this.#options;
    return await store.deadLetters.count({ prefix: this.#prefix, signal });
  }

  /** The letters that somebody asked to send again, up to a number. */
  async toResend(limit: number): Promise<readonly DeadLetter[]> {
    const { store, signal } = this.#options;
    const { items } = await store.deadLetters.list({
      prefix: this.#prefix,
      filter: { op: ">", path: ["resendTime"], value: 0 },
      limit,
      signal,
    });
    return items.map(({ value }) => value);
  }

  /** Removes the letter of an event that was delivered. */
  async delivered({ sequence }: Pick<Event, "sequence">): Promise<void> {
    const { store: { deadLetters }, sink, signal } = this.#options;
    const found = await deadLetters.get(deadLetterName(sink, sequence), { signal });
    if (found) await this.#remove([found]);
  }

  /** Removes the letters that were recorded before a time. */
  async removeBefore(time: Instant): Promise<void> {
    const { store: { deadLetters }, signal } = this.#options;
    const old = { op: "<", path: ["createTime"], value: time } as const;
    const query = { prefix: this.#prefix, filter: old, limit: PAGE, signal };
    for await (const page of pagesOf(deadLetters, query)) await this.#remove(page);
  }

  async #remove(letters: readonly Stored<DeadLetter>[]): Promise<void> {
    const { store: { deadLetters }, signal } = this.#options;
    for (const { value: { name }, version } of letters) {
      try {
        await deadLetters.delete(name, version, { signal });
      } catch (error) {
        // Somebody asked to send it again, or it is gone already.
        if (!isMpcError(error, "NOT_FOUND", "ABORTED")) throw error;
      }
    }
  }
}
