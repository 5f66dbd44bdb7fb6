import type { AuditEntry } from "@mpc/domain";
import type { AuditTrail, Clock } from "../ports/mod.ts";
import { sleepUnlessAborted } from "../sleep_unless_aborted.ts";

/** The length of the time for which the limits below hold. */
const WINDOW_MS = 60_000;

/** How many calls of one actor at one source get a record each, and how many in all. */
const RECORDED_OF_ONE = 30;
const RECORDED = 300;

/**
 * How long counted calls wait for their record: in the order of a minute's records, and then until
 * its end. Counts that are not recorded yet are lost with the process.
 */
const COUNTED_FOR_MS = [1_000, 5_000, 15_000];

/** How many actors and sources get a record for the rest of their calls; others share one record. */
const COUNTED = 60;

/** What calls are recorded with. */
export interface Audit {
  readonly trail: AuditTrail;
  readonly refusals: RefusalLog;
}

export interface RefusalLogOptions {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  /** Called when records of counted calls could not be kept; they are counted on. */
  readonly onFailed?: (error: unknown) => void;
}

/**
 * Records calls that changed nothing, in bounded space: a flood of them must not fill the disk. The
 * first ones of a minute get a record each; the others are counted, and get a few records with their
 * numbers within the minute.
 */
export class RefusalLog implements AsyncDisposable {
  readonly #options: RefusalLogOptions;
  readonly #stop = new AbortController();
  #windowEnd = 0;
  #recorded = 0;
  /** How often counts were recorded in this minute. */
  #flushes = 0;
  readonly #recordedOf = new Map<string, number>();
  #counted = new Map<string, AuditEntry>();
  #flushing: Promise<void> | undefined;

  constructor(options: RefusalLogOptions) {
    this.#options = options;
  }

  /**
   * Records or counts a call.
   * @throws {MpcError} UNAVAILABLE `AUDIT_UNAVAILABLE`
   */
  async add(entry: AuditEntry): Promise<void> {
    const { trail, clock } = this.#options;
    const now = clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + WINDOW_MS;
      this.#recorded = 0;
      this.#flushes = 0;
      this.#recordedOf.clear();
    }
    const key = `${entry.source} ${entry.actor}`;
    const ofOne = this.#recordedOf.get(key) ?? 0;
    if (ofOne >= RECORDED_OF_ONE || this.#recorded >= RECORDED) {
      this.#count(key, entry);
      const left = this.#windowEnd - now;
      if (!this.#flushing) {
        const wait = COUNTED_FOR_MS[this.#flushes++] ?? left;
        this.#flushing = this.#flushLater(Math.min(wait, left));
      }
      return;
    }
    this.#recorded++;
    this.#recordedOf.set(key, ofOne + 1);
    await trail.append(entry);
  }

  /** Records what was counted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#flushing;
  }

  #count(key: string, entry: AuditEntry): void {
    const shared = this.#counted.size >= COUNTED && !this.#counted.has(key);
    const at = shared ? "" : key;
    const before = this.#counted.get(at);
    this.#counted.set(at, before ? together(before, entry) : entry);
  }

  async #flushLater(ms: number): Promise<void> {
    const { trail, clock, onFailed } = this.#options;
    await sleepUnlessAborted(clock, ms, this.#stop.signal);
    const counted = this.#counted;
    this.#counted = new Map();
    this.#flushing = undefined;
    await Promise.all(
      [...counted].map(async ([key, entry]) => {
        try {
          await trail.append(entry);
        } catch (error) {
          onFailed?.(error);
          this.#count(key, entry);
        }
      }),
    );
  }
}

/** One record for two: what differs is left out. */
function together(one: AuditEntry, other: AuditEntry): AuditEntry {
  const same = (key: "actor" | "source" | "method" | "target" | "result" | "reason") =>
    one[key] === other[key] ? one[key] : "";
  return {
    ...one,
    actor: same("actor"),
    source: same("source"),
    method: same("method"),
    target: same("target"),
    result: same("result"),
    reason: same("reason"),
    groups: one.actor === other.actor ? one.groups : [],
    permission: one.permission === other.permission ? one.permission : "",
    requestId: "",
    traceparent: "",
    changes: [],
    count: one.count + other.count,
  };
}
