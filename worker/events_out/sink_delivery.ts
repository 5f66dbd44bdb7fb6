import { createHash } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import {
  backoffMs,
  type DeliveryError,
  type Event,
  type EventSink,
  eventSinkName,
  isMpcError,
  matches,
} from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";
import { Slots } from "../slots.ts";
import { cloudEvent, cloudEventId, type EventJson } from "./cloud_event.ts";
import { DeadLetters } from "./dead_letters.ts";
import { DeliveryFailure } from "./delivery_failure.ts";
import { DeliveryWindow } from "./delivery_window.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { sendEvent } from "./send_event.ts";
import type { AllowedTarget, SinkSettings } from "./sinks_file.ts";

const log = getLogger(["mpc", "events_out"]);

/** How many events of a sink are read ahead of its position; a slow sink's reader then waits. */
const MAX_PENDING = 256;

/** How many attempts of a sink run at once. */
const MAX_IN_FLIGHT = 8;

/** How often the position is saved while it moves. */
const SAVE_MS = 1_000;

/** How often a sink looks for dead letters that somebody asked to send again. */
const RESEND_LOOK_MS = 2_000;

/** How many dead letters are sent again at once. */
const MAX_RESENDS = 32;

/** How often dead letters that are too old are removed, and how old that is. */
const CLEAN_MS = 3_600_000;
const KEEP_DEAD_LETTERS_MS = 30 * 86_400_000;

const MAX_BODY_BYTES = 1024 * 1024;

/** An event is retried for a time, not for a number of attempts. */
const BACKOFF = { initialBackoffMs: 1_000, maxBackoffMs: 300_000, maxAttempts: 0, budgetMs: 0 };

/** Who measures deliveries. */
export interface DeliveryObserver {
  onAttempt(sink: string, outcome: "delivered" | "retried" | "dead"): void;
  /** @param lagMs how old the oldest event is that is not done; 0 if there is none */
  onState(sink: string, state: { readonly lagMs: number; readonly deadLetters: number }): void;
  /** Another process delivers from now on, or nobody. */
  onStopped(sink: string): void;
}

export interface SinkDeliveryOptions {
  readonly sink: SinkSettings;
  readonly allow: readonly AllowedTarget[];
  readonly store: Store;
  readonly clock: Clock;
  readonly installation: string;
  readonly toJson: EventJson;
  readonly observer: DeliveryObserver;
  /** In [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Tests replace it to own time. */
  readonly send?: typeof sendEvent;
}

/**
 * Delivers the events of the log to one sink: in order for each resource, at least once. What was
 * delivered after the last saved position is delivered again after a crash.
 */
export class SinkDelivery {
  readonly #options: SinkDeliveryOptions;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #letters: DeadLetters;
  readonly #slots = new Slots(MAX_IN_FLIGHT);
  /** The events of each resource that wait for the one before them. */
  readonly #lanes = new Map<string, (() => Promise<void>)[]>();
  readonly #running = new Set<Promise<void>>();
  /** When each event that failed is tried again, by the monotonic clock. */
  readonly #retries = new Map<number, number>();
  readonly #resending = new Set<number>();
  #window = new DeliveryWindow(0);
  #stored!: Stored<EventSink>;
  /** No attempt begins before this moment of the monotonic clock. */
  #pausedUntil = 0;
  #gone = false;
  #lastDeliveryTime: number | null = null;
  #lastError: DeliveryError | null = null;
  #deadLetters = 0;
  #changed = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();

  constructor(options: SinkDeliveryOptions) {
    this.#options = options;
    this.#name = eventSinkName(options.sink.id);
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
    const { store } = options;
    this.#letters = new DeadLetters({ store, sink: this.#name, signal: this.#signal });
    this.#signal.addEventListener("abort", () => this.#notify(), { once: true });
    this.#failed.promise.catch(() => {}); // It is awaited in a race that may be over.
  }

  /**
   * Delivers until the signal is aborted.
   * @throws {MpcError} what the store throws; the next run continues at the saved position
   */
  async run(): Promise<void> {
    const { sink, observer, signal } = this.#options;
    try {
      this.#stored = await this.#open();
      const { value } = this.#stored;
      this.#window = new DeliveryWindow(value.position);
      this.#lastDeliveryTime = value.lastDeliveryTime;
      this.#lastError = value.lastError;
      this.#gone = value.goneUrlHash !== null && value.goneUrlHash === this.#urlHash;
      this.#deadLetters = await this.#letters.count();
      const parts = [this.#read(), this.#save(), this.#resend(), this.#clean()];
      await Promise.race([Promise.all(parts), this.#failed.promise]).finally(() => {
        this.#stop.abort();
        return Promise.allSettled([...parts, ...this.#running]);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      observer.onStopped(sink.id);
    }
  }

  get #urlHash(): string {
    return createHash("sha256").update(this.#options.sink.url.href).digest("hex");
  }

  /** The sink's document, created if the sink is new. */
  async #open(): Promise<Stored<EventSink>> {
    const { store, sink, clock } = this.#options;
    const signal = this.#signal;
    const found = await store.eventSinks.get(this.#name, { signal });
    if (found) return found;
    const now = clock.now();
    const position = sink.from === "now" ? await store.events.head({ signal }) : 0;
    return await store.eventSinks.create({
      name: this.#name,
      origin: sink.url.origin,
      filter: sink.filter.text,
      state: "ACTIVE",
      position,
      createTime: now,
      updateTime: now,
      lastDeliveryTime: null,
      lastError: null,
      nextAttemptTime: null,
      goneUrlHash: null,
    }, { signal });
  }

  /** Reads the log and puts each event in its lane; waits while too many are not done. */
  async #read(): Promise<void> {
    const { store, sink: { filter: { filter } } } = this.#options;
    const signal = this.#signal;
    const from = await this.#whereToRead();
    for await (const batch of store.events.follow(from, signal)) {
      for (const event of batch) {
        while (this.#window.size >= MAX_PENDING && !signal.aborted) await this.#change();
        if (signal.aborted) return;
        this.#window.add(event);
        if (filter && !matches(filter, event)) this.#window.done(event.sequence);
        else this.#queue(event, () => this.#deliver(event));
      }
    }
    signal.throwIfAborted();
  }

  /** The position, or where the log begins now if it no longer goes back that far. */
  async #whereToRead(): Promise<number> {
    const { store, clock, sink: { id } } = this.#options;
    const signal = this.#signal;
    const { position } = this.#stored.value;
    const head = await store.events.head({ signal });
    let from = position;
    if (position > head) from = head;
    else {
      try {
        await store.events.read(position, 1, { signal });
      } catch (error) {
        if (!isMpcError(error, "OUT_OF_RANGE")) throw error;
        from = Number(error.metadata["compacted"] ?? head);
      }
    }
    if (from !== position && position > 0) {
      const message = position > head
        ? `The log was reset: it ends at ${head}, before the sink's position ${position}`
        : `The log no longer has the events from ${position} to ${from}, which are not sent`;
      log.error("Events are not sent to sink {sink}: {text}", { sink: id, text: message });
      this.#lastError = { time: clock.now(), status: 0, message };
    }
    this.#window = new DeliveryWindow(from);
    return from;
  }

  /** Runs a delivery when those of the same resource that came before it have ended. */
  #queue({ target }: Event, deliver: () => Promise<void>): void {
    const waiting = this.#lanes.get(target);
    if (waiting) {
      waiting.push(deliver);
      return;
    }
    const lane = [deliver];
    this.#lanes.set(target, lane);
    const running = this.#runLane(target, lane).catch((error) => this.#failed.reject(error));
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
  }

  async #runLane(target: string, lane: (() => Promise<void>)[]): Promise<void> {
    while (!this.#signal.aborted) {
      const next = lane[0];
      if (!next) break;
      await next();
      lane.shift();
    }
    this.#lanes.delete(target);
  }

  async #deliver(event: Event): Promise<void> {
    while (this.#gone && !this.#signal.aborted) await this.#change();
    await this.#attemptUntilDone(event);
    if (this.#signal.aborted) return;
    this.#window.done(event.sequence);
    this.#notify();
  }

  /** Ends when the event is delivered or a dead letter, or when the signal is aborted. */
  async #attemptUntilDone(event: Event): Promise<void> {
    const { clock, sink, observer, random } = this.#options;
    const signal = this.#signal;
    const startTime = clock.monotonic();
    for (let attempts = 1; !signal.aborted; attempts++) {
      if (!await this.#pause()) return;
      const outcome = await this.#attempt(event);
      if (signal.aborted || !outcome) return;
      if (outcome.kind === "delivered") {
        this.#lastDeliveryTime = clock.now();
        this.#gone = false;
        this.#notify();
        await this.#letters.delivered(event);
        observer.onAttempt(sink.id, "delivered");
        return;
      }
      const status = outcome.status;
      const error = { time: clock.now(), status, message: outcome.message };
      this.#lastError = error;
      if (outcome.kind === "gone") this.#setGone();
      const tooLate = clock.monotonic() - startTime >= sink.giveUpAfter;
      if (outcome.kind !== "failed" || tooLate) {
        await this.#die(event, attempts, error);
        return;
      }
      if (outcome.pauseMs > 0) {
        this.#pausedUntil = Math.max(this.#pausedUntil, clock.monotonic() + outcome.pauseMs);
      }
      const waitMs = Math.max(backoffMs(BACKOFF, attempts, random()), outcome.pauseMs);
      observer.onAttempt(sink.id, "retried");
      log.info("The delivery of event {sequence} to sink {sink} failed: {problem}", {
        sequence: event.sequence,
        sink: sink.id,
        problem: error.message,
      });
      this.#retries.set(event.sequence, clock.monotonic() + waitMs);
      await sleepUnlessAborted(clock, waitMs, signal);
      this.#retries.delete(event.sequence);
    }
  }

  /** Waits while the receiver asked to be left alone; false if the signal is aborted. */
  async #pause(): Promise<boolean> {
    const { clock } = this.#options;
    for (;;) {
      const leftMs = this.#pausedUntil - clock.monotonic();
      if (leftMs <= 0) return !this.#signal.aborted;
      if (!await sleepUnlessAborted(clock, leftMs, this.#signal)) return false;
    }
  }

  /** Sends an event once; undefined if the signal is aborted. */
  async #attempt(event: Event): Promise<AttemptOutcome | undefined> {
    const { clock, sink, installation, toJson, allow, send = sendEvent } = this.#options;
    const signal = this.#signal;
    let slot;
    try {
      slot = await this.#slots.take(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
    try {
      const body = JSON.stringify(cloudEvent(event, { installation, toJson }));
      if (new TextEncoder().encode(body).length > MAX_BODY_BYTES) {
        const message = `The event is larger than ${MAX_BODY_BYTES / 1024} KiB`;
        return { kind: "rejected", message, status: 0 };
      }
      const id = cloudEventId(installation, event);
      const answer = await send({ sink, allow, id, body, clock, signal });
      const outcome = outcomeOf(answer, clock.now());
      return outcome.kind === "gone"
        ? { ...outcome, message: "The receiver answers 410 Gone", status: 410 }
        : { ...outcome, status: answer.status };
    } catch (error) {
      if (!(error instanceof DeliveryFailure)) throw error;
      return { kind: "failed", message: error.message, pauseMs: 0, status: 0 };
    } finally {
      slot.release();
    }
  }

  #setGone(): void {
    const { sink: { id } } = this.#options;
    if (!this.#gone) log.error("Sink {sink} is stopped: its receiver answers 410", { sink: id });
    this.#gone = true;
  }

  async #die(event: Event, attempts: number, error: DeliveryError): Promise<void> {
    const { sink: { id }, observer } = this.#options;
    const removed = await this.#letters.add(event, { attempts, error });
    this.#deadLetters = await this.#letters.count();
    observer.onAttempt(id, "dead");
    log.error("Event {sequence} is a dead letter of sink {sink}: {problem}", {
      sequence: event.sequence,
      sink: id,
      problem: error.message,
    });
    if (removed > 0) {
      log.error("The {removed} oldest dead letters of sink {sink} were removed", {
        removed,
        sink: id,
      });
    }
  }

  /** Saves the position and the state when they change. */
  async #save(): Promise<void> {
    const { store, clock, sink, observer } = this.#options;
    for (;;) {
      const now = clock.now();
      const lagMs = Math.max(0, now - (this.#window.oldestTime ?? now));
      observer.onState(sink.id, { lagMs, deadLetters: this.#deadLetters });
      const before = this.#stored.value;
      const value: EventSink = { ...this.#state(), updateTime: before.updateTime };
      if (!isSame(value, before)) {
        this.#stored = await store.eventSinks.replace(
          { ...value, updateTime: now },
          this.#stored.version,
          { signal: this.#signal },
        );
      }
      if (!await sleepUnlessAborted(clock, SAVE_MS, this.#signal)) break;
    }
    // The last deliveries need not be repeated after an orderly stop.
    const value = { ...this.#state(), updateTime: clock.now() };
    if (!isSame({ ...value, updateTime: this.#stored.value.updateTime }, this.#stored.value)) {
      await store.eventSinks.replace(value, this.#stored.version);
    }
  }

  #state(): Omit<EventSink, "updateTime"> {
    const { sink } = this.#options;
    const next = Math.min(...this.#retries.values());
    const isWaiting = Number.isFinite(next);
    return {
      ...this.#stored.value,
      origin: sink.url.origin,
      filter: sink.filter.text,
      state: this.#gone ? "GONE" : isWaiting ? "RETRYING" : "ACTIVE",
      position: this.#window.position,
      lastDeliveryTime: this.#lastDeliveryTime,
      lastError: this.#lastError,
      nextAttemptTime: isWaiting
        // Computed once for each retry, so that the document does not change meanwhile.
        ? this.#nextAttemptTime(next)
        : null,
      goneUrlHash: this.#gone ? this.#urlHash : null,
    };
  }

  #next: { readonly at: number; readonly time: number } | undefined;

  #nextAttemptTime(at: number): number {
    const { clock } = this.#options;
    if (this.#next?.at !== at) {
      this.#next = { at, time: clock.now() + Math.max(0, Math.round(at - clock.monotonic())) };
    }
    return this.#next.time;
  }

  /** Sends dead letters again that somebody asked for, also while the receiver is gone. */
  async #resend(): Promise<void> {
    const { clock } = this.#options;
    do {
      const letters = await this.#letters.toResend(MAX_RESENDS);
      for (const { event } of letters) {
        const { sequence } = event;
        if (this.#resending.has(sequence) || this.#resending.size >= MAX_RESENDS) continue;
        this.#resending.add(sequence);
        // Not in the lane of its resource: events behind a dead letter have been sent already.
        const sent = this.#attemptUntilDone(event)
          .then(async () => {
            this.#deadLetters = await this.#letters.count();
          })
          .catch((error) => this.#failed.reject(error))
          .finally(() => this.#resending.delete(sequence));
        this.#running.add(sent);
        sent.finally(() => this.#running.delete(sent));
      }
    } while (await sleepUnlessAborted(clock, RESEND_LOOK_MS, this.#signal));
  }

  async #clean(): Promise<void> {
    const { clock } = this.#options;
    do {
      await this.#letters.removeBefore(clock.now() - KEEP_DEAD_LETTERS_MS);
      this.#deadLetters = await this.#letters.count();
    } while (await sleepUnlessAborted(clock, CLEAN_MS, this.#signal));
  }

  /** Resolves at the next change of what others wait for. */
  #change(): Promise<void> {
    return this.#changed.promise;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

type AttemptOutcome =
  & (Exclude<Outcome, { kind: "gone" }> | { readonly kind: "gone"; readonly message: string })
  & { readonly status: number };

const isSame = (one: EventSink, other: EventSink): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
