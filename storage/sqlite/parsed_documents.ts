import { deepFreeze } from "../shared/deep_freeze.ts";

/** Documents that are kept; the one that was kept first is dropped first. */
const MAX_DOCUMENTS = 128;

/** Larger documents are not kept. */
const MAX_LENGTH = 32 * 1024;

/**
 * Documents that were read lately, by their stored text: parsing is most of what reading one again
 * costs. The text itself is read each time, so that a document is never older than the database.
 */
export class ParsedDocuments<T> {
  readonly #kept = new Map<string, { readonly body: string; readonly value: T | undefined }>();

  /**
   * Parses a document. One that was read twice is frozen, since its readers share it.
   * @throws {SyntaxError} if the text is damaged
   */
  parse(name: string, body: string): T {
    const kept = this.#kept.get(name);
    const readBefore = kept?.body === body;
    if (readBefore && kept.value !== undefined) return kept.value;
    const value: T = JSON.parse(body);
    if (body.length > MAX_LENGTH) return value;
    this.#kept.set(name, { body, value: readBefore ? deepFreeze(value) : undefined });
    if (this.#kept.size > MAX_DOCUMENTS) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return value;
  }
}
