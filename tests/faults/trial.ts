import { requestCancel } from "@mpc/services/sagas";
import { hang } from "../fakes/faulty_definitions.ts";
import type { Platform } from "../fakes/platform.ts";
import type { Scenario } from "../fakes/scenarios.ts";

/** One operation that something happens to. */
export interface Trial {
  readonly platform: Platform;
  readonly scenario: Scenario;
  /** Name of the operation, once it is admitted. */
  readonly operation: () => string;
  readonly stepName: string;
}

/** Marks the operation as to be cancelled, as the API does. */
export async function mark({ platform, operation }: Trial): Promise<void> {
  const { store, clock, caller } = platform;
  const cancellation = { actor: "ann", reason: "tested", time: clock.now() };
  await requestCancel(store, operation(), cancellation, caller.signal);
}

/** Marks it, and tells its engine at once. */
export async function cancel(trial: Trial): Promise<void> {
  await mark(trial);
  await trial.platform.cancel(trial.operation());
}

/** Ends the process, for all that this step can tell. */
export function crash(platform: Platform): Promise<never> {
  crashed.set(platform, platform.crash());
  return hang();
}

/** The crashes that came, and when they are over. */
export const crashed = new WeakMap<Platform, Promise<void>>();
