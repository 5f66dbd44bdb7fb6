/** How long a turn is while several peers are active. */
const TURN_MS = 4;
/** A turn that ends later than this had too much work. */
const LATE_MS = 2;
/** How long a peer counts as active. */
const ACTIVE_MS = 1_000;
/** Work that a peer may always start in a turn. */
const MIN_WORK = 2;

/** A monotonic clock for turns. */
export interface TurnTime {
  now(): number;
  after(ms: number, callback: () => void): void;
}

const REAL_TIME: TurnTime = {
  now: () => performance.now(),
  after: (ms, callback) => void setTimeout(callback, ms),
};

/**
 * Lets each peer start a limited amount of work in each turn, so that a peer that sends thousands
 * of calls at once delays only itself.
 *
 * While several peers are active, turns leave the event loop idle at their end, and the limit
 * decreases while they do not: Deno's loop polls sockets only when it is idle, or every 61st round.
 */
export class FairTurns {
  readonly #maxWork: number;
  readonly #time: TurnTime;
  readonly #recent = new Set<PeerTurns>();
  readonly #active = new Set<PeerTurns>();
  #limit: number;
  #endsAt: number | undefined;

  /** @param maxWork the maximum work of a peer in one turn; a call counts as one */
  constructor(maxWork: number, time: TurnTime = REAL_TIME) {
    this.#maxWork = maxWork;
    this.#limit = maxWork;
    this.#time = time;
  }

  /** The turns of one peer. */
  peer(): PeerTurns {
    return new PeerTurns(() => this.#limit, (turns) => {
      this.#active.add(turns);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#endsAt !== undefined) return;
    const delay = this.#recent.size > 1 ? TURN_MS : 0;
    this.#endsAt = this.#time.now() + delay;
    this.#time.after(delay, () => this.#end());
  }

  #end(): void {
    const now = this.#time.now();
    const late = now - (this.#endsAt ?? now) > LATE_MS;
    this.#endsAt = undefined;
    const active = [...this.#active];
    this.#active.clear();
    for (const turns of active) {
      turns.activeAt = now;
      this.#recent.add(turns);
    }
    for (const turns of this.#recent) {
      if (now - turns.activeAt > ACTIVE_MS) this.#recent.delete(turns);
    }
    if (this.#recent.size < 2) this.#limit = this.#maxWork;
    else if (late) this.#limit = Math.max(MIN_WORK, Math.floor(this.#limit / 2));
    else this.#limit = Math.min(this.#maxWork, this.#limit + MIN_WORK);
    for (const turns of active) turns.next();
  }
}

/** What a peer has started in this turn, and its connections that wait for the next one. */
export class PeerTurns {
  readonly #limit: () => number;
  readonly #onActive: (turns: PeerTurns) => void;
  #started = 0;
  #waiting: (() => void)[] = [];
  /** When the peer last started work, or waited to. */
  activeAt = -Infinity;

  constructor(limit: () => number, onActive: (turns: PeerTurns) => void) {
    this.#limit = limit;
    this.#onActive = onActive;
  }

  /**
   * Starts a piece of work, which may exceed the limit by less than its own size.
   * @returns false if it must wait for the next turn
   */
  start(work = 1): boolean {
    if (this.#started >= this.#limit()) return false;
    if (this.#started === 0) this.#onActive(this);
    this.#started += work;
    return true;
  }

  /** Calls back in one of the next turns; connections of a peer take turns. */
  wait(callback: () => void): void {
    this.#waiting.push(callback);
    this.#onActive(this);
  }

  /** Begins a turn. */
  next(): void {
    this.#started = 0;
    let next = 0;
    while (next < this.#waiting.length && this.#started < this.#limit()) this.#waiting[next++]!();
    this.#waiting.splice(0, next);
    if (this.#waiting.length > 0) this.#onActive(this);
  }
}
