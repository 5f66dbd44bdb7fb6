import { requestCancel } from "@mpc/services/sagas";
import { hang } from "../fakes/faulty_definitions.ts";
import type { Platform } from "../fakes/platform.ts";
import type { Scenario } from "../fakes/scenarios.ts";

/** An operation under test. */
export interface Trial {
  readonly platform: Platform;
  readonly scenario: Scenario;
  /** Name of the operation; available once it is admitted. */
  readonly operation: () => string;
  readonly stepName: string;
}

/** Marks the operation as cancelled, like the API. */
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

/** Crashes the process, from the point of view of this step. */
export function crash(platform: Platform): Promise<never> {
  crashed.set(platform, platform.crash());
  return hang();
}

/** The crashes that happened, with promises that resolve when they are over. */
export const crashed = new WeakMap<Platform, Promise<void>>();
