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

/**
 * The slots for activities of one worker. An activity that waits holds none: with a fixed number of
 * slots, deletions that wait for cancelled deployments would keep the undos of those from running.
 */
export class StepSlots implements Supplier {
  readonly type = "custom";
  readonly #waits: (activityType: string) => boolean;
  readonly #slots: Slots;

  constructor(concurrency: number, waits: (activityType: string) => boolean) {
    this.#slots = new Slots(concurrency);
    this.#waits = waits;
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
  }

  releaseSlot({ permit }: Parameters<Supplier["releaseSlot"]>[0]): void {
    release(permit);
  }
}

function release(permit: SlotPermit): void {
  if (permit instanceof Slot) permit.release();
}
