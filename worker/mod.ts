/** Engines, providers and housekeeping: what executes operations. */
export { Dispatcher } from "./engine/dispatcher.ts";
export { DriftWatch } from "./housekeeping/drift_watch.ts";
export {
  acquireEngineLease,
  EmbeddedEngine,
  engineInUse,
  type EngineLease,
} from "./engine/embedded/mod.ts";
export { type DeliveryObserver } from "./events_out/sink_delivery.ts";
export { sendEvent } from "./events_out/send_event.ts";
export { startEventsOut } from "./events_out/events_out.ts";
export type { EventJson } from "./events_out/cloud_event.ts";
export { Expiry, NOTICE_MS } from "./housekeeping/expiry.ts";
export { openProvider } from "./providers/open_provider.ts";
export { Janitor } from "./housekeeping/janitor.ts";
export { Retention } from "./housekeeping/retention.ts";
export type { StepTools } from "./engine/try_step.ts";
export { type HostedEngine, problemsOf } from "./engine/hosted_engine.ts";
export { startHousekeeping } from "./housekeeping/start_housekeeping.ts";
