/** Operations as workflows on Temporal. */
export { BUNDLE_PATH } from "./bundle_path.ts";
export { StepActivities } from "./step_activities.ts";
export { startTemporalEngine, type TemporalConfig } from "./start_temporal_engine.ts";
export { TemporalEngine } from "./temporal_engine.ts";
export { TemporalHost } from "./temporal_host.ts";
