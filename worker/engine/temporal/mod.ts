/** Operations as workflows on Temporal. */
export type { TemporalAddress, TemporalTls } from "./connect.ts";
export { StepActivities, type StepActivitiesOptions } from "./step_activities.ts";
export { TemporalEngine, type TemporalEngineOptions } from "./temporal_engine.ts";
export { TemporalHost, type TemporalHostOptions } from "./temporal_host.ts";
