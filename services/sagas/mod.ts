/** Operation kinds, their steps, and the orchestrator that both engines share. */
export {
  defaultTimeoutMs,
  type Definition,
  type LockedResource,
  orchestratedSteps,
  type Stamp,
} from "./definition.ts";
export { DEFINITIONS, resourceDefinition } from "./definitions.ts";
export { dropWaiting, holdsResource } from "./resource_lock.ts";
export { idleBetween } from "./idle_time.ts";
export * from "./journal.ts";
export * from "./orchestrate.ts";
export {
  OPERATION_ADMITTED,
  releaseAbandoned,
  releaseResource,
  withdrawLock,
} from "./release_lock.ts";
export { adapterOf, adapterOfResource, resourceOf } from "./resource_adapter.ts";
export { createPlanner } from "./create_planner.ts";
export { CANCEL_REQUESTED, requestCancel } from "./request_cancel.ts";
export { resourceDrift } from "./resource_drift.ts";
export type * from "./step.ts";
export {
  awaitRemoval,
  hasRecord,
  type LeftBehind,
  requestRemoval,
  unmanagedInside,
} from "./left_behind.ts";
export type { PlatformClaimInput } from "./platform_claim.ts";
export {
  containsUnmanaged,
  type PlatformSweepInput,
  skippedEvent,
  type SweptLeftover,
} from "./platform_sweep.ts";
export { type Deployment, workloadIntentOf } from "./workload_deploy.ts";
