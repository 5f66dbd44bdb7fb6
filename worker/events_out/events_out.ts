import { getLogger } from "@logtape/logtape";
import { deadLettersOf, eventSinkName, isMpcError, recordError } from "@mpc/domain";
import type { WatchedFile } from "@mpc/process";
import { type Clock, type Ids, pagesOf, sleepUnlessAborted } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { FencedPasses } from "../housekeeping/fenced_passes.ts";
import { HeldLease } from "../housekeeping/hold_lease.ts";
import type { EventJson } from "./cloud_event.ts";
import type { sendEvent } from "./send_event.ts";
import { type DeliveryObserver, SinkDelivery } from "./sink_delivery.ts";
import {
  type AllowedTarget,
  type EventSinksSettings,
  openSinksFile,
  type SinkSettings,
} from "./sinks_file.ts";

const log = getLogger(["mpc", "events_out"]);

/** How often the file's content and the lease are compared with what runs. */
const LOOK_MS = 1_000;

/** The pause after a sink's delivery ended because of the store. */
const RESTART_MS = 5_000;

/** How often sinks that the file no longer has are looked at, and how long they are kept. */
const TIDY_MS = 3_600_000;
const KEEP_REMOVED_MS = 30 * 86_400_000;

export interface EventsOutOptions {
  /** Path of the file of event sinks. */
  readonly file: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly installation: string;
  readonly toJson: EventJson;
  readonly observer: DeliveryObserver;
  /** Whether no other process can deliver. */
  readonly alone: boolean;
  /** Tests replace it to own time. */
  readonly send?: typeof sendEvent;
}

interface Running {
  readonly settings: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Delivers events to the sinks of a file, in the one process that holds a lease. Each sink is
 * delivered to on its own, so none waits for another.
 * @throws {MpcError} INVALID_ARGUMENT `EVENT_SINKS_FILE_INVALID`
 */
export async function startEventsOut(options: EventsOutOptions): Promise<AsyncDisposable> {
  const { store, clock, ids, alone } = options;
  const file = await openSinksFile(options.file);
  const lease = alone ? null : new HeldLease({ store, clock, ids, what: "events-out" });
  await lease?.start();
  file.watch(clock);
  const stop = new AbortController();
  const sinks = new RunningSinks(options, file, lease);
  const looking = sinks.look(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
      await file.close();
      await lease?.[Symbol.asyncDispose]();
    },
  };
}

/** The sinks that this process delivers to now. */
class RunningSinks {
  readonly #options: EventsOutOptions;
  readonly #file: WatchedFile<EventSinksSettings>;
  readonly #lease: HeldLease | null;
  readonly #running = new Map<string, Running>();
  /** The settings whose removed sinks are marked, and since when. */
  #tidied: { readonly settings: EventSinksSettings; readonly at: number } | undefined;

  constructor(
    options: EventsOutOptions,
    file: WatchedFile<EventSinksSettings>,
    lease: HeldLease | null,
  ) {
    this.#options = options;
    this.#file = file;
    this.#lease = lease;
  }

  async look(signal: AbortSignal): Promise<void> {
    do {
      await this.#update();
    } while (await sleepUnlessAborted(this.#options.clock, LOOK_MS, signal));
    await Promise.all([...this.#running.keys()].map((id) => this.#end(id)));
  }

  async #update(): Promise<void> {
    const isHeld = !this.#lease || !this.#lease.lost.aborted;
    const { settings } = this.#file;
    const wanted = new Map(isHeld ? settings.sinks.map((sink) => [sink.id, sink]) : []);
    for (const [id, { settings: running }] of this.#running) {
      const sink = wanted.get(id);
      if (!sink || running !== keyOf(sink, settings.allow)) await this.#end(id);
    }
    for (const [id, sink] of wanted) {
      if (!this.#running.has(id)) this.#start(sink, settings.allow);
    }
    if (isHeld) await this.#tidy(settings);
    else this.#tidied = undefined;
  }

  #start(sink: SinkSettings, allow: readonly AllowedTarget[]): void {
    const stop = new AbortController();
    const ended = this.#run(sink, allow, stop.signal);
    this.#running.set(sink.id, { settings: keyOf(sink, allow), stop, ended });
  }

  async #end(id: string): Promise<void> {
    const running = this.#running.get(id);
    running?.stop.abort();
    await running?.ended;
    this.#running.delete(id);
  }

  /** Delivers to a sink until the signal is aborted or the lease is lost. */
  async #run(
    sink: SinkSettings,
    allow: readonly AllowedTarget[],
    stop: AbortSignal,
  ): Promise<void> {
    const { store, clock, ids } = this.#options;
    const lease = this.#lease;
    const signal = lease ? AbortSignal.any([stop, lease.lost]) : stop;
    while (!signal.aborted) {
      const fenced = new FencedPasses(store, lease ?? undefined);
      try {
        await fenced.run(() =>
          new SinkDelivery({
            ...this.#options,
            store: fenced.store,
            ...{ sink, allow, signal, random: () => ids.random() },
          }).run()
        );
      } catch (error) {
        log.error("The delivery to sink {sink} ended and begins again: {error}", {
          sink: sink.id,
          error: recordError(error),
        });
      }
      await sleepUnlessAborted(clock, RESTART_MS, signal);
    }
  }

  /** Marks the sinks that the file no longer has, and deletes them when they have been so for long. */
  async #tidy(settings: EventSinksSettings): Promise<void> {
    const { store, clock } = this.#options;
    const isDone = this.#tidied?.settings === settings &&
      clock.monotonic() - this.#tidied.at < TIDY_MS;
    if (isDone) return;
    const names = new Set(settings.sinks.map(({ id }) => eventSinkName(id)));
    const now = clock.now();
    try {
      for await (const page of pagesOf(store.eventSinks, { limit: 100 })) {
        for (const { value, version } of page) {
          if (names.has(value.name)) continue;
          if (value.state !== "REMOVED") {
            const removed = { ...value, state: "REMOVED", nextAttemptTime: null } as const;
            await store.eventSinks.replace({ ...removed, updateTime: now }, version);
          } else if (value.updateTime < now - KEEP_REMOVED_MS) {
            const prefix = deadLettersOf(value.name);
            for await (const letters of pagesOf(store.deadLetters, { prefix, limit: 100 })) {
              for (const letter of letters) {
                await store.deadLetters.delete(letter.value.name, letter.version);
              }
            }
            await store.eventSinks.delete(value.name, version);
          }
        }
      }
      this.#tidied = { settings, at: clock.monotonic() };
    } catch (error) {
      if (!isMpcError(error)) throw error;
      log.warn("Cannot mark the sinks that were removed: {error}", { error: recordError(error) });
    }
  }
}

/** Equal for equal settings. */
const keyOf = (sink: SinkSettings, allow: readonly AllowedTarget[]): string =>
  JSON.stringify([sink, allow.map((entry) => "host" in entry ? entry.host : String(entry.range))]);
