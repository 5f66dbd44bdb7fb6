import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotPermit,
  WorkerTuner,
} from "@temporalio/worker";
import { Slot, Slots } from "../../slots.ts";

type Supplier = CustomSlotSupplier<ActivitySlotInfo>;

/** The SDK's defaults; a tuner has to name all of them. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;
const NEXUS_TASKS = 1;

/** The limits of a worker: of its activities only those count that do not wait. */
export function stepTuner(slots: StepSlots): WorkerTuner {
  return {
    workflowTaskSlotSupplier: { type: "fixed-size", numSlots: WORKFLOW_TASKS },
    activityTaskSlotSupplier: slots,
    localActivityTaskSlotSupplier: { type: "fixed-size", numSlots: LOCAL_ACTIVITIES },
    nexusTaskSlotSupplier: { type: "fixed-size", numSlots: NEXUS_TASKS },
  };
}

/**
 * The slots for activities of one worker. An activity that waits holds none: with a fixed number of
 * slots, deletions that wait for cancelled deployments would keep the undos of those from running.
 */
export class StepSlots implements Supplier {
  readonly type = "custom";
  readonly #waits: (activityType: string) => boolean;
  readonly #slots: Slots;
  readonly #concurrency: number;
  /** The slots of activities that run; a poller holds one too while it waits for a task. */
  readonly #used = new Set<SlotPermit>();

  /**
   * @param concurrency how many activities run at the same time, besides those that wait
   * @param waits whether an activity of this type mostly waits
   */
  constructor(concurrency: number, waits: (activityType: string) => boolean) {
    this.#slots = new Slots(concurrency);
    this.#concurrency = concurrency;
    this.#waits = waits;
  }

  /** How many activities have the slots. */
  get running(): number {
    return this.#used.size;
  }

  /** Whether another activity has to wait for a slot. */
  get isFull(): boolean {
    return this.#used.size >= this.#concurrency;
  }

  /** Rejects with the signal's reason when the worker stops. */
  async reserveSlot(_context: unknown, signal: AbortSignal): Promise<SlotPermit> {
    return await this.#slots.take(signal);
  }

  tryReserveSlot(): SlotPermit | null {
    return this.#slots.tryTake();
  }

  markSlotUsed({ slotInfo, permit }: Parameters<Supplier["markSlotUsed"]>[0]): void {
    if (this.#waits(slotInfo.activityType)) release(permit);
    else this.#used.add(permit);
  }

  releaseSlot({ permit }: Parameters<Supplier["releaseSlot"]>[0]): void {
    this.#used.delete(permit);
    release(permit);
  }
}

function release(permit: SlotPermit): void {
  if (permit instanceof Slot) permit.release();
}
