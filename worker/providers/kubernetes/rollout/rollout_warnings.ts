import { getLogger } from "@logtape/logtape";
import { type Instant, isMpcError, recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { EVENT, PERSISTENT_VOLUME_CLAIM } from "../client/kinds.ts";
import type { SharedLists } from "../client/shared_lists.ts";
import { type ObjectEvent, toObjectEvents } from "../reads/cluster_events.ts";

const log = getLogger(["mpc", "kubernetes", "rollout"]);

/** How long a rollout makes no progress before events are read. */
const FIRST_MS = 2_000;
const NEXT_MS = 5_000;
/** How often events are read after the first minute. */
const LATER_MS = 15_000;
const LATER_AFTER_MS = 60_000;

/** A normal event that says why a claim is not bound (Kubernetes' volume controller). */
const NOT_BOUND = "FailedBinding";

/**
 * The warnings of the cluster in the namespace of one rollout, read again every few seconds: only
 * events say why a volume is not mounted, what a probe was answered, or why a controller creates no
 * pods. They are listed, not watched, so that fast rollouts cost nothing; simultaneous rollouts in one
 * namespace share a list.
 */
export class RolloutWarnings {
  readonly #lists: SharedLists;
  readonly #clock: Clock;
  readonly #namespace: string;
  /** When the rollout began to be observed. */
  readonly began: Instant;
  readonly #began: number;
  /** By the monotonic clock. */
  #nextRead: number;
  #first: ReadonlyMap<string, number> | undefined;
  #latest: readonly ObjectEvent[] = [];
  #progress = "";

  constructor(
    { lists, clock }: { readonly lists: SharedLists; readonly clock: Clock },
    namespace: string,
  ) {
    this.#lists = lists;
    this.#clock = clock;
    this.#namespace = namespace;
    this.began = clock.now();
    this.#began = clock.monotonic();
    this.#nextRead = this.#began + FIRST_MS;
  }

  /** Oldest first. */
  get latest(): readonly ObjectEvent[] {
    return this.#latest;
  }

  /** Whether an event has happened since the first read; an earlier one may be obsolete. */
  isRecent(event: ObjectEvent): boolean {
    return event.count > (this.#first?.get(keyOf(event)) ?? 0);
  }

  /** When the warnings will be read again. */
  get nextRead(): Instant {
    return this.#clock.now() + Math.max(0, this.#nextRead - this.#clock.monotonic());
  }

  /**
   * Reads the warnings if it is time to. A rollout goes on without them.
   * @param progress how far the rollout is: one that makes progress needs no explanation
   * @param claims whether pods of the rollout mount claims
   * @param changed ends the read: the rollout may be further than it was
   */
  async refresh(
    { progress, claims, changed }: {
      readonly progress: string;
      readonly claims: boolean;
      readonly changed: AbortSignal;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.#clock.monotonic();
    if (progress !== this.#progress) this.#nextRead = now + FIRST_MS;
    this.#progress = progress;
    if (now < this.#nextRead) return;
    this.#nextRead = now + (now - this.#began < LATER_AFTER_MS ? NEXT_MS : LATER_MS);
    const either = AbortSignal.any([signal, changed]);
    try {
      const [warnings, aboutClaims] = await Promise.all([
        this.#read("type=Warning", either),
        claims ? this.#read(`involvedObject.kind=${PERSISTENT_VOLUME_CLAIM.kind}`, either) : [],
      ]);
      const unbound = aboutClaims.filter(({ reason }) => reason === NOT_BOUND);
      this.#latest = [...warnings, ...unbound].toSorted((a, b) => a.time - b.time);
      this.#first ??= new Map(this.#latest.map((event) => [keyOf(event), event.count]));
    } catch (error) {
      if (signal.aborted || !isMpcError(error)) throw error;
      if (changed.aborted) {
        this.#nextRead = this.#clock.monotonic() + FIRST_MS;
        return;
      }
      log.info("Cannot read events: {error}", { error: recordError(error) });
    }
  }

  async #read(fieldSelector: string, signal: AbortSignal): Promise<readonly ObjectEvent[]> {
    const selection = { namespace: this.#namespace, fieldSelector };
    return toObjectEvents(await this.#lists.list(EVENT, selection, signal));
  }
}

const keyOf = ({ object, uid, reason, message }: ObjectEvent): string =>
  JSON.stringify([object, uid, reason, message]);
