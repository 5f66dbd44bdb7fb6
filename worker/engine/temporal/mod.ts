/** Operations as workflows on Temporal. */
export { BUNDLE_PATH } from "./bundle_path.ts";
export type { TemporalAddress, TemporalTls } from "./connect.ts";
export { StepActivities, type StepActivitiesOptions } from "./step_activities.ts";
export { startTemporalEngine, type TemporalConfig } from "./start_temporal_engine.ts";
export { TemporalEngine, type TemporalEngineOptions } from "./temporal_engine.ts";
export { TemporalHost, type TemporalHostOptions } from "./temporal_host.ts";
