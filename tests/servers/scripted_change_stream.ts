import { BSON } from "mongodb";

/** How long a server waits for a change before it answers with none. */
const MAX_WAIT_MS = 200;

const CURSOR = BSON.Long.fromNumber(7);

/** The answers of a server with change streams ("Change Streams", MongoDB specifications). */
export class ScriptedChangeStream {
  /** How many change streams have been opened. */
  opened = 0;
  /** The stages of the last one. */
  pipeline: readonly BSON.Document[] = [];
  #changes: BSON.Document[] = [];
  #changed = Promise.withResolvers<void>();
  #lost: PromiseWithResolvers<void> | undefined;
  #token = 0;

  /** Adds a change. */
  insert(): void {
    this.#changes.push({ _id: this.#next() });
    this.#changed.resolve();
  }

  /**
   * Fails the next batch like a server that has no such cursor any more.
   * @returns when the stream has been opened again
   */
  async loseCursor(): Promise<void> {
    this.#lost = Promise.withResolvers();
    await this.#lost.promise;
  }

  /** The answer to a command of a change stream; undefined to another. */
  answer(command: BSON.Document): Promise<BSON.Document> | undefined {
    if (command.aggregate) return Promise.resolve(this.#open(command.pipeline));
    if (command.getMore) return this.#more();
    return undefined;
  }

  #open(pipeline: readonly BSON.Document[]): BSON.Document {
    this.opened++;
    this.pipeline = pipeline;
    this.#lost?.resolve();
    this.#lost = undefined;
    return this.#batch({ firstBatch: [] });
  }

  async #more(): Promise<BSON.Document> {
    const waits = Promise.withResolvers<void>();
    const timer = setTimeout(waits.resolve, MAX_WAIT_MS);
    await Promise.race([this.#changed.promise, waits.promise]);
    clearTimeout(timer);
    if (this.#lost) return { ok: 0, code: 43, codeName: "CursorNotFound", errmsg: "it is gone" };
    const nextBatch = this.#changes;
    this.#changes = [];
    this.#changed = Promise.withResolvers();
    return this.#batch({ nextBatch });
  }

  #batch(documents: Readonly<Record<string, readonly BSON.Document[]>>): BSON.Document {
    const postBatchResumeToken = this.#next();
    return { ok: 1, cursor: { id: CURSOR, ns: "mpc.events", ...documents, postBatchResumeToken } };
  }

  #next(): BSON.Document {
    return { _data: String(++this.#token) };
  }
}
