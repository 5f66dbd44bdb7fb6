import { AUDIT_REMOVED, type AuditRecord, isMpcError } from "@mpc/domain";
import { advanceMark } from "@mpc/services";
import type { RetentionOptions } from "./retention.ts";
import type { Stored } from "@mpc/storage";

/** How many records are removed at once. */
const PAGE = 200;

/**
 * Removes audit records that are older than they are kept, the oldest first and never the newest. The
 * hash of the last removed record is kept, so that the rest of the chain can be verified.
 */
export class AuditRetention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Removes what is too old now. */
  async pass(): Promise<void> {
    const { store: { audit, auditMarks }, clock, keepMs, signal } = this.#options;
    const since = clock.now() - keepMs;
    for (;;) {
      const page = await audit.list({ limit: PAGE, signal });
      const candidates = page.next === null ? page.items.slice(0, -1) : page.items;
      const kept = candidates.findIndex(({ value }) => value.time >= since);
      const old = kept < 0 ? candidates : candidates.slice(0, kept);
      const last = old.at(-1);
      if (!last) return;
      // The mark is first: records below it are no longer part of the log, also after a crash.
      const { sequence, hash } = last.value;
      await advanceMark(auditMarks, { name: AUDIT_REMOVED, sequence, hash });
      await Promise.all(old.map((stored) => this.#remove(stored)));
      if (kept >= 0) return;
    }
  }

  async #remove({ value: { name }, version }: Stored<AuditRecord>): Promise<void> {
    const { store, signal } = this.#options;
    try {
      await store.audit.delete(name, version, { signal });
    } catch (error) {
      // Another worker has removed it first.
      if (!isMpcError(error, "NOT_FOUND", "ABORTED")) throw error;
    }
  }
}
