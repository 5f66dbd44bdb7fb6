import { getLogger } from "@logtape/logtape";
import {
  type Environment,
  type ErrorRecord,
  isMpcError,
  isTerminal,
  type Operation,
  recordError,
  type Workload,
} from "@mpc/domain";
import {
  ADMISSION_GRACE_MS,
  type Clock,
  dropUnadmitted,
  type Engine,
  isAdmitted,
  pagesOf,
  type Provider,
} from "@mpc/services";
import {
  type Ending,
  isEnding,
  releaseAbandoned,
  releaseResource,
  requestCancel,
  resourceOf,
} from "@mpc/services/sagas";
import type { Collection, Store, Stored } from "@mpc/storage";
import { closeOperation } from "../engine/close_operation.ts";
import { isFault } from "../engine/is_fault.ts";
import { removeStrayWorkload } from "./remove_stray_workload.ts";
import { sweepOrphans } from "./sweep_orphans.ts";

const log = getLogger(["mpc", "janitor"]);

export interface JanitorOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly provider: Provider;
  readonly clock: Clock;
  /** Ends a pass that is under way. */
  readonly signal: AbortSignal;
}

/**
 * Settles what crashes leave between two writes: at start and again and again. Each pass is whole and
 * idempotent; what fails in one does not stop it, and is tried again in the next.
 */
export class Janitor {
  readonly #options: JanitorOptions;
  /** When, by the monotonic clock, operations without their lock were first seen; of the last pass. */
  #unadmitted: ReadonlyMap<string, number> = new Map();

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  /**
   * One pass.
   * @param graceMs how old an operation must be before it counts as cut off while it was admitted;
   *   0 when nobody can be admitting
   */
  async pass(graceMs: number = ADMISSION_GRACE_MS): Promise<void> {
    const { store } = this.#options;
    const unadmitted = new Map<string, number>();
    const live: readonly Operation["state"][] = ["PENDING", "RUNNING", "CANCELLING"];
    for (const state of live) {
      await this.#each(
        store.operations,
        { path: ["state"], value: state },
        (operation) => this.#settleOperation(operation, graceMs, unadmitted),
      );
    }
    this.#unadmitted = unadmitted;
    const held = { path: ["currentOperation"], value: "*" };
    await this.#each(store.environments, held, (stored) => this.#settleResource(stored.value));
    await this.#each(store.workloads, held, (stored) => this.#settleResource(stored.value));
    const failed = { path: ["state"], value: "DEPLOY_FAILED" };
    await this.#each(
      store.workloads,
      failed,
      (stored) => this.#tolerate(() => removeStrayWorkload(this.#options, stored)),
    );
    await sweepOrphans(this.#options, this.#options.signal);
  }

  async #settleOperation(
    stored: Stored<Operation>,
    graceMs: number,
    unadmitted: Map<string, number>,
  ): Promise<void> {
    const { store, engine, clock } = this.#options;
    const operation = stored.value;
    const status = await engine.status(operation.name);
    if (status.state === "running") {
      // The engine may not have been told; told twice is as good as told once.
      if (operation.cancellation) await engine.cancel(operation.name);
      return;
    }
    if (status.state === "ended") {
      return await this.#tolerate(() =>
        closeOperation({ store, clock }, operation.name, status.error)
      );
    }
    if (!await isAdmitted({ store }, operation)) {
      const since = this.#unadmitted.get(operation.name) ?? clock.monotonic();
      unadmitted.set(operation.name, since);
      // See ADMISSION_GRACE_MS for the two clocks.
      const ageMs = Math.max(clock.now() - operation.createTime, clock.monotonic() - since);
      if (ageMs < graceMs) return;
      return await this.#tolerate(() => dropUnadmitted({ store, clock }, stored));
    }
    const resource = await resourceOf(store, operation);
    if (resource?.value.nextOperation === operation.name && !operation.cancellation) {
      return await this.#stopHolder(resource.value.currentOperation, operation);
    }
    await engine.start(operation.name);
  }

  /** A deletion waits for what runs: a crash may have come before that was told to stop. */
  async #stopHolder(holder: string | null, deletion: Operation): Promise<void> {
    if (holder === null) return;
    const cancellation = {
      actor: deletion.actor,
      reason: `preempted by ${deletion.name}`,
      time: this.#options.clock.now(),
    };
    const { store } = this.#options;
    await this.#tolerate(() =>
      requestCancel(store, holder, cancellation, new AbortController().signal)
    );
  }

  /** A resource that is held by an operation that has ended, or is not there, is let go of. */
  async #settleResource(resource: Environment | Workload): Promise<void> {
    const { store, clock } = this.#options;
    const holder = resource.currentOperation;
    if (holder === null) return;
    const operation = (await store.operations.get(holder))?.value;
    if (operation && !isTerminal(operation.state)) return;
    const now = clock.now();
    if (operation && operation.target === resource.name && isEnding(operation.state)) {
      const state: Ending = operation.state;
      try {
        return await releaseResource(store, operation, { state, error: operation.error }, now);
      } catch (error) {
        // A fault of this program must not hold the resource for ever.
        if (!isFault(error)) throw error;
        log.error("Cannot settle {name} by its operation: {error}", {
          name: resource.name,
          error: recordError(error),
        });
      }
    }
    await this.#tolerate(() =>
      releaseAbandoned(store, resource, operation, lostHolder(holder), now)
    );
  }

  async #each<T extends { readonly name: string }>(
    collection: Collection<T>,
    where: { readonly path: readonly string[]; readonly value: string },
    settle: (stored: Stored<T>) => Promise<void>,
  ): Promise<void> {
    const query = { filter: { op: "=" as const, ...where }, limit: 200 };
    for await (const page of pagesOf(collection, query)) {
      for (const stored of page) await this.#settle(stored.value.name, () => settle(stored));
    }
  }

  /** What cannot be settled must not keep the rest from being settled. */
  async #settle(name: string, settle: () => Promise<void>): Promise<void> {
    try {
      await settle();
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      log.error("Cannot settle {name}, the next pass tries again: {error}", {
        name,
        error: recordError(error),
      });
    }
  }

  /** What somebody else has settled meanwhile is settled. */
  async #tolerate(settle: () => Promise<unknown>): Promise<void> {
    try {
      await settle();
    } catch (error) {
      if (!isMpcError(error, "NOT_FOUND", "ABORTED")) throw error;
    }
  }
}

function lostHolder(holder: string): ErrorRecord {
  return {
    code: "INTERNAL",
    reason: "LOST_OPERATION",
    message: `The operation '${holder}' that held it has ended without letting go of it`,
    retryable: false,
    metadata: { operation: holder },
    causes: [],
  };
}
