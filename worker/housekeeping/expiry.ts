import { getLogger } from "@logtape/logtape";
import {
  type Environment,
  etagOf,
  type Event,
  EXPIRES_SOON,
  type Instant,
  isMpcError,
  recordError,
  setCondition,
} from "@mpc/domain";
import { activeTraceparent, inSpan } from "@mpc/process";
import {
  deleteEnvironment,
  environmentEvent,
  pagesOf,
  type ServiceDeps,
  sleepUnlessAborted,
  sleepUntil,
  systemCaller,
  systemPrincipal,
  updateDocument,
} from "@mpc/services";
import type { Stored } from "@mpc/storage";
import { v5 } from "uuid";
import { followLog } from "../engine/follow_log.ts";
import { type HousekeepingObserver, UNOBSERVED } from "./housekeeping_observer.ts";

const log = getLogger(["mpc", "expiry"]);

/** The namespace of request ids that are made of an expiry (UUID version 5, RFC 9562). */
const EXPIRY_REQUESTS = "b6a1d6c4-3c0f-4f0e-9a7e-5d2f1f7a8c31";

/** How long before expiry the `ExpiresSoon` event is emitted. */
export const NOTICE_MS = 3_600_000;

/** How long after a failed deletion the next one is requested. */
const AGAIN_MS = 300_000;

/** How many environments are read at once. */
const PAGE = 100;

/** The pause after a failure. */
const PAUSE_MS = 5_000;

/**
 * Deletes environments at the moment they expire, and emits an event an hour before. Waits for the
 * next such moment, and looks again when an environment changes.
 *
 * The moment goes by this machine's wall clock: one that is ahead deletes earlier by as much, one
 * that is behind deletes later, and of several workers the one whose clock is ahead comes first.
 * Deletions by several workers are one request, since its id is made of the moment.
 */
export class Expiry {
  readonly #deps: ServiceDeps;
  readonly #observer: HousekeepingObserver;
  readonly #stop = new AbortController();
  #changed = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(deps: ServiceDeps, observer: HousekeepingObserver = UNOBSERVED) {
    this.#deps = deps;
    this.#observer = observer;
  }

  async start(): Promise<void> {
    const { store, clock } = this.#deps;
    const { signal } = this.#stop;
    const after = await store.events.head();
    this.#running = Promise.all([
      followLog({ store, clock }, after, signal, (event) => this.#hear(event)),
      this.#loop(),
    ]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Does what is due now. @returns the time of the next action */
  async pass(): Promise<Instant | undefined> {
    const now = this.#deps.clock.now();
    let next = Infinity;
    for await (const environments of this.#expiring()) {
      const due = await Promise.all(environments.map((stored) => this.#attend(stored, now)));
      next = Math.min(next, ...due.filter((time) => time !== undefined));
      const last = environments.at(-1)?.value.expireTime ?? Infinity;
      // Environments are sorted by expiry, so all later ones are due later.
      if (last - NOTICE_MS > now) break;
    }
    return next === Infinity ? undefined : next;
  }

  /** Runs a pass now and at each due time within `ms`; the next worker's turn begins where it ends. */
  async passesWithin(ms: number): Promise<void> {
    const { clock } = this.#deps;
    const end = clock.monotonic() + ms;
    try {
      for (;;) {
        const due = await this.pass() ?? Infinity;
        const left = due - clock.now();
        if (clock.monotonic() + left >= end) return;
        await clock.sleep(Math.max(1, left), this.#stop.signal);
      }
    } catch (error) {
      // This process is closing; another one continues.
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  /** Environments that expire, earliest first, in pages. */
  #expiring(): AsyncGenerator<readonly Stored<Environment>[]> {
    const query = {
      filter: {
        op: "and" as const,
        terms: [
          { op: ">" as const, path: ["expireTime"], value: 0 },
          { op: "=" as const, path: ["deletionProtection"], value: false },
        ],
      },
      orderBy: [{ path: ["expireTime"], descending: false }],
      limit: PAGE,
      signal: this.#stop.signal,
    };
    return pagesOf(this.#deps.store.environments, query);
  }

  /** A failure for one environment must not keep others from expiring. */
  async #attend(stored: Stored<Environment>, now: Instant): Promise<Instant | undefined> {
    try {
      return await this.#due(stored, now);
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      this.#observer.found("expiry", "NOT_SETTLED");
      log.error("Cannot expire {environment}: {error}", {
        environment: stored.value.name,
        error: recordError(error),
      });
      return now + PAUSE_MS;
    }
  }

  /** Does what is due for one environment. @returns the time of its next action */
  async #due(stored: Stored<Environment>, now: Instant): Promise<Instant | undefined> {
    const environment = stored.value;
    const { expireTime, state } = environment;
    if (expireTime === null || state === "DELETING") return undefined;
    if (expireTime <= now) return await this.#expire(stored, expireTime, now);
    if (expireTime - NOTICE_MS > now) return expireTime - NOTICE_MS;
    if (!spokenOf(environment, expireTime)) await this.#notice(environment.name, expireTime);
    return expireTime;
  }

  async #expire(
    { value: { name, uid }, version }: Stored<Environment>,
    expireTime: Instant,
    now: Instant,
  ): Promise<Instant | undefined> {
    // All requests for the same expiry have the same id, whichever process makes them; after a
    // failure, the next round has a new id.
    const round = Math.floor((now - expireTime) / AGAIN_MS);
    const requestId = v5(`${uid} ${expireTime} ${round}`, EXPIRY_REQUESTS);
    const attributes = { "mpc.target": name };
    try {
      await inSpan("expire environment", { root: true, attributes }, async () => {
        const traceparent = activeTraceparent();
        const caller = { ...systemCaller("expiry", this.#stop.signal), traceparent };
        await deleteEnvironment(this.#deps, caller, {
          name,
          requestId,
          // It may have been extended or created again since it was read.
          etag: etagOf(uid, version),
          force: true,
          allowMissing: true,
          abandon: false,
          timeoutMs: null,
        });
      });
      this.#observer.found("expiry", "EXPIRED");
    } catch (error) {
      if (!isMpcError(error)) throw error;
      if (error.reason === "ETAG_MISMATCH") return now;
      // Another process has made this request for another version.
      const isMade = error.reason === "REQUEST_ID_REUSED";
      if (!isMade && !isMpcError(error, "ABORTED", "FAILED_PRECONDITION")) throw error;
    }
    return expireTime + (round + 1) * AGAIN_MS;
  }

  async #notice(name: string, expireTime: Instant): Promise<void> {
    const { store, clock } = this.#deps;
    const time = clock.now();
    const message = `It expires at ${new Date(expireTime).toISOString()}`;
    await updateDocument(store.environments, name, this.#stop.signal, (environment) => {
      if (environment.expireTime !== expireTime || spokenOf(environment, expireTime)) {
        return undefined;
      }
      const condition = {
        type: EXPIRES_SOON,
        status: "TRUE" as const,
        reason: EXPIRES_SOON,
        message,
        observedGeneration: environment.generation,
      };
      const conditions = setCondition(environment.conditions, condition, time);
      const facts = {
        type: "NOTICED" as const,
        reason: EXPIRES_SOON,
        message: `${message}; 'mpctl env extend' gives it more time`,
        operation: null,
        actor: systemPrincipal("expiry"),
        time,
      };
      return { value: { ...environment, conditions }, event: facts };
    }, environmentEvent);
    this.#observer.found("expiry", "EXPIRES_SOON");
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const changed = this.#changed.signal;
      try {
        const next = await this.pass();
        const signal = AbortSignal.any([this.#stop.signal, changed]);
        await sleepUntil(this.#deps.clock, next, signal);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (changed.aborted) continue;
        log.error("Cannot look for expired environments: {error}", { error: recordError(error) });
        await sleepUnlessAborted(this.#deps.clock, PAUSE_MS, this.#stop.signal);
      }
    }
  }

  /** Starts a pass when an environment that expires has changed. */
  #hear({ resource, type }: Event): void {
    if (resource?.kind !== "environment" || type === "DELETED") return;
    if (resource.value.expireTime === null) return;
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort();
  }
}

/** Whether the environment already has the condition, so that it is not emitted again. */
function spokenOf(environment: Environment, expireTime: Instant): boolean {
  const message = `It expires at ${new Date(expireTime).toISOString()}`;
  return environment.conditions.some((condition) =>
    condition.type === EXPIRES_SOON && condition.message === message
  );
}
