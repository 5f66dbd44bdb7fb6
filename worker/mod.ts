/** What carries operations out. */
export { Dispatcher } from "./dispatcher.ts";
export { DriftWatch } from "./drift_watch.ts";
export { EmbeddedEngine } from "./engine/embedded/mod.ts";
export { Expiry, NOTICE_MS } from "./expiry.ts";
export { openProvider } from "./open_provider.ts";
export { Janitor } from "./janitor.ts";
export { Retention } from "./retention.ts";
export type { StepTools } from "./engine/try_step.ts";
export type { HostedEngine } from "./engine/hosted_engine.ts";
export { startHousekeeping } from "./start_housekeeping.ts";
