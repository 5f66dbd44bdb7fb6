import { sleepUnlessAborted } from "@mpc/services";
import type {
  Definition,
  Driver,
  OrchestratedStep,
  StepOutcome,
  UndoOutcome,
} from "@mpc/services/sagas";
import type { OperationJournal } from "../operation_journal.ts";
import type { Slot, Slots } from "../../slots.ts";
import { noteOfEnd } from "../step_end.ts";
import { TimeLimits } from "../time_limits.ts";
import { type StepTools, type Tried, tryStep } from "../try_step.ts";

/**
 * Thrown through the orchestrator when the engine closes or has lost its lease. The operation
 * continues after a restart, or in the process that has the lease.
 */
export class EngineStopped extends Error {}

export interface DriverOptions extends StepTools {
  readonly definition: Definition;
  readonly journal: OperationJournal;
  readonly cancel: AbortSignal;
  /** Aborted when the engine closes, or loses its lease. */
  readonly stop: AbortSignal;
  /** For attempts of all operations. */
  readonly slots: Slots;
  /** Called with the step that begins to wait for a slot, and with null when it no longer does. */
  readonly onQueued: (step: string | null) => void;
  /** Whether attempts may begin: not without a lease, and not after another process had it. */
  readonly mayBegin: () => boolean;
}

type Settled = Exclude<Tried, { status: "retry" | "stopped" | "ended" }>;

/** Runs steps in this process; the attempts of a step follow one another. */
export class EmbeddedDriver implements Driver {
  readonly #options: DriverOptions;
  readonly #limits: TimeLimits;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#limits = new TimeLimits(options.clock);
  }

  async runStep({ name }: OrchestratedStep): Promise<StepOutcome> {
    const tried = await this.#tries(name, false);
    return tried.status === "failed" ? tried : { status: tried.status };
  }

  async undoStep({ name }: OrchestratedStep): Promise<UndoOutcome> {
    const tried = await this.#tries(name, true);
    return tried.status === "failed" ? tried : { status: "undone" };
  }

  /** Attempts a step until it succeeds, fails permanently, or is cancelled. */
  async #tries(name: string, undo: boolean): Promise<Settled> {
    const { definition, journal, stop } = this.#options;
    const step = definition.steps.find((step) => step.name === name);
    if (!step) throw new Error(`Cannot find step '${name}' of '${definition.kind}'`);
    for (;;) {
      // An attempt that waits for a cluster or another operation holds no slot, and no undo waits
      // for one: deletions wait for the undo of the deployments that they have cancelled.
      const waits = undo || step.heartbeatMs !== undefined;
      const slot = waits ? undefined : await this.#slot(name);
      if (!this.#options.mayBegin()) {
        slot?.release();
        throw new EngineStopped();
      }
      const tried = await tryStep({ ...this.#options, limits: this.#limits, step, undo })
        .finally(() => slot?.release());
      switch (tried.status) {
        case "stopped":
        case "ended":
          throw new EngineStopped();
        case "retry":
          await this.#pause(tried.pauseMs, undo);
          if (stop.aborted) throw new EngineStopped();
          continue;
        case "succeeded":
        case "cancelled":
          if (tried.end) journal.defer(noteOfEnd(tried.end));
          return tried;
        default:
          return tried;
      }
    }
  }

  /** A slot for an attempt, whose time begins with it; undefined if the attempt is not to begin. */
  async #slot(step: string): Promise<Slot | undefined> {
    const { slots, cancel, stop, onQueued } = this.#options;
    onQueued(step);
    try {
      return await slots.take(AbortSignal.any([stop, cancel]));
    } catch (error) {
      if (stop.aborted) throw new EngineStopped();
      if (cancel.aborted) return undefined;
      throw error;
    } finally {
      onQueued(null);
    }
  }

  async #pause(ms: number, undo: boolean): Promise<void> {
    const { clock, cancel, stop } = this.#options;
    await sleepUnlessAborted(clock, ms, undo ? stop : AbortSignal.any([stop, cancel]));
  }
}
