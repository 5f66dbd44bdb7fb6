import { setImmediate } from "node:timers";

/**
 * Lets each peer start a limited number of calls in each turn of the event loop, so that a peer
 * that sends thousands at once delays only itself.
 */
export class FairTurns {
  readonly #callsPerTurn: number;
  readonly #active = new Set<PeerTurns>();
  #scheduled = false;

  constructor(callsPerTurn: number) {
    this.#callsPerTurn = callsPerTurn;
  }

  /** The turns of one peer. */
  peer(): PeerTurns {
    return new PeerTurns(this.#callsPerTurn, (turns) => {
      this.#active.add(turns);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const active = [...this.#active];
      this.#active.clear();
      for (const turns of active) turns.next();
    });
  }
}

/** How many calls a peer has started in this turn, and which of its connections wait for the next. */
export class PeerTurns {
  readonly #limit: number;
  readonly #onActive: (turns: PeerTurns) => void;
  #started = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number, onActive: (turns: PeerTurns) => void) {
    this.#limit = limit;
    this.#onActive = onActive;
  }

  /** Starts a call. @returns false where it has to wait for the next turn */
  start(): boolean {
    if (this.#started >= this.#limit) return false;
    if (this.#started++ === 0) this.#onActive(this);
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
    while (next < this.#waiting.length && this.#started < this.#limit) this.#waiting[next++]!();
    this.#waiting.splice(0, next);
    if (this.#waiting.length > 0) this.#onActive(this);
  }
}
