import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotPermit,
  WorkerTuner,
} from "@temporalio/worker";

type Supplier = CustomSlotSupplier<ActivitySlotInfo>;

/** The SDK's defaults; a tuner has to name all of them. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;
const NEXUS_TASKS = 1;

/**
 * The limits of a worker: of its activities only those count that do not wait.
 * @param concurrency how many activities run at the same time, besides those that wait
 * @param waits whether an activity of this type mostly waits
 */
export function stepTuner(
  concurrency: number,
  waits: (activityType: string) => boolean,
): WorkerTuner {
  return {
    workflowTaskSlotSupplier: { type: "fixed-size", numSlots: WORKFLOW_TASKS },
    activityTaskSlotSupplier: new StepSlots(concurrency, waits),
    localActivityTaskSlotSupplier: { type: "fixed-size", numSlots: LOCAL_ACTIVITIES },
    nexusTaskSlotSupplier: { type: "fixed-size", numSlots: NEXUS_TASKS },
  };
}

/** Counts against the limit until it is given back. */
class Permit implements SlotPermit {
  held = true;
}

/**
 * The slots for activities of one worker. An activity that waits holds none: with a fixed number of
 * slots, deletions that wait for cancelled deployments would keep the undos of those from running.
 */
export class StepSlots implements Supplier {
  readonly type = "custom";
  readonly #waits: (activityType: string) => boolean;
  readonly #queue: (() => void)[] = [];
  #free: number;

  constructor(concurrency: number, waits: (activityType: string) => boolean) {
    this.#free = concurrency;
    this.#waits = waits;
  }

  /** Rejects with the signal's reason when the worker stops. */
  async reserveSlot(_context: unknown, signal: AbortSignal): Promise<SlotPermit> {
    while (this.#free === 0) await this.#released(signal);
    this.#free--;
    return new Permit();
  }

  tryReserveSlot(): SlotPermit | null {
    if (this.#free === 0) return null;
    this.#free--;
    return new Permit();
  }

  markSlotUsed({ slotInfo, permit }: Parameters<Supplier["markSlotUsed"]>[0]): void {
    if (this.#waits(slotInfo.activityType)) this.#giveBack(permit);
  }

  releaseSlot({ permit }: Parameters<Supplier["releaseSlot"]>[0]): void {
    this.#giveBack(permit);
  }

  #giveBack(permit: SlotPermit): void {
    if (!(permit instanceof Permit) || !permit.held) return;
    permit.held = false;
    this.#free++;
    this.#queue.shift()?.();
  }

  async #released(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopped = () => {
      this.#queue.splice(this.#queue.indexOf(resolve), 1);
      reject(signal.reason);
    };
    this.#queue.push(resolve);
    signal.addEventListener("abort", stopped, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stopped);
    }
  }
}
