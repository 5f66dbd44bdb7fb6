/** What carries operations out. */
export { Dispatcher } from "./dispatcher.ts";
export { DriftWatch, type DriftWatchOptions } from "./drift_watch.ts";
export { EmbeddedEngine, type EmbeddedEngineOptions } from "./engine/embedded/mod.ts";
export { Expiry, NOTICE_MS } from "./expiry.ts";
export { openProvider, type ProviderSettings } from "./open_provider.ts";
export { Janitor, type JanitorOptions } from "./janitor.ts";
export type { StepTools } from "./engine/try_step.ts";
export type { HostedEngine } from "./engine/hosted_engine.ts";
export { startHousekeeping } from "./start_housekeeping.ts";
