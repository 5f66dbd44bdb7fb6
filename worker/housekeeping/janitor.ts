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
import { isLeaseLost } from "./fenced_passes.ts";
import {
  type HousekeepingFinding,
  type HousekeepingObserver,
  UNOBSERVED,
} from "./housekeeping_observer.ts";
import { removeStrayWorkload } from "./remove_stray_workload.ts";
import { sweepOrphans } from "./sweep_orphans.ts";

const log = getLogger(["mpc", "janitor"]);

export interface JanitorOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly provider: Provider;
  readonly clock: Clock;
  /** Rejects if the pass may not go on; asked right before each deletion on a cluster. */
  readonly beforeDelete?: () => Promise<void>;
  /** Aborts a running pass. */
  readonly signal: AbortSignal;
  readonly observer?: HousekeepingObserver | undefined;
}

/**
 * Settles what crashes leave between two writes, at start and periodically. Each pass is complete
 * and idempotent; a failure does not stop the pass, and the next pass tries again.
 */
export class Janitor {
  readonly #options: JanitorOptions;
  readonly #found: (finding: HousekeepingFinding) => void;
  /** When operations without a lock were first seen, by the monotonic clock; from the last pass. */
  #unadmitted: ReadonlyMap<string, number> = new Map();

  constructor(options: JanitorOptions) {
    this.#options = options;
    const { observer = UNOBSERVED } = options;
    this.#found = (finding) => observer.found("janitor", finding);
  }

  /**
   * One pass.
   * @param graceMs how old an operation must be before its admission counts as interrupted; 0 if no
   *   process can be admitting
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
      (stored) =>
        this.#tolerate(async () => {
          if (await removeStrayWorkload(this.#options, stored)) this.#found("WORKLOAD_REMOVED");
        }),
    );
    await sweepOrphans({ ...this.#options, found: this.#found }, this.#options.signal);
  }

  async #settleOperation(
    stored: Stored<Operation>,
    graceMs: number,
    unadmitted: Map<string, number>,
  ): Promise<void> {
    const { store, engine, clock } = this.#options;
    const operation = stored.value;
    // A process with that engine settles it.
    if (operation.engine !== engine.name) return;
    const status = await engine.status(operation.name);
    if (status.state === "running") {
      // The cancellation may not have reached the engine; a repetition is harmless.
      if (operation.cancellation) await engine.cancel(operation.name);
      return;
    }
    if (status.state === "ended") {
      return await this.#tolerate(async () => {
        await closeOperation({ store, clock }, operation.name, status.error);
        this.#found("OPERATION_CLOSED");
      });
    }
    if (!await isAdmitted({ store }, operation)) {
      const since = this.#unadmitted.get(operation.name) ?? clock.monotonic();
      unadmitted.set(operation.name, since);
      // See ADMISSION_GRACE_MS for the two clocks.
      const ageMs = Math.max(clock.now() - operation.createTime, clock.monotonic() - since);
      if (ageMs < graceMs) return;
      return await this.#tolerate(async () => {
        await dropUnadmitted({ store, clock }, stored);
        this.#found("OPERATION_DROPPED");
      });
    }
    const resource = await resourceOf(store, operation);
    if (resource?.value.nextOperation === operation.name && !operation.cancellation) {
      return await this.#stopHolder(resource.value.currentOperation, operation);
    }
    await engine.start(operation.name);
    this.#found("OPERATION_STARTED");
  }

  /** Cancels the operation that a deletion waits for: a crash may have prevented that. */
  async #stopHolder(holder: string | null, deletion: Operation): Promise<void> {
    if (holder === null) return;
    const cancellation = {
      actor: deletion.actor,
      reason: `preempted by ${deletion.name}`,
      time: this.#options.clock.now(),
    };
    const { store } = this.#options;
    await this.#tolerate(async () => {
      await requestCancel(store, holder, cancellation, new AbortController().signal);
      this.#found("HOLDER_CANCELLED");
    });
  }

  /** Releases a resource whose lock is held by an operation that has ended or does not exist. */
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
        await releaseResource(store, operation, { state, error: operation.error }, now);
        return this.#found("LOCK_RELEASED");
      } catch (error) {
        // A bug of ours must not lock the resource forever.
        if (!isFault(error)) throw error;
        log.error("Cannot settle {name} by its operation: {error}", {
          name: resource.name,
          error: recordError(error),
        });
      }
    }
    await this.#tolerate(async () => {
      await releaseAbandoned(store, resource, operation, lostHolder(holder), now);
      this.#found("LOCK_RELEASED");
    });
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

  /** A failure for one record must not keep others from being settled. */
  async #settle(name: string, settle: () => Promise<void>): Promise<void> {
    try {
      await settle();
    } catch (error) {
      if (this.#options.signal.aborted || isLeaseLost(error)) throw error;
      this.#found("NOT_SETTLED");
      log.error("Cannot settle {name}, the next pass tries again: {error}", {
        name,
        error: recordError(error),
      });
    }
  }

  /** Ignores the failure if another process has settled it in the meantime. */
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
    message: `Operation '${holder}', which held its lock, has ended without releasing it`,
    retryable: false,
    metadata: { operation: holder },
    causes: [],
  };
}
