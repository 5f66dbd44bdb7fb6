/** The embedded engine, which needs only this process. */
export { EmbeddedEngine } from "./embedded_engine.ts";
export { acquireEngineLease, engineInUse, type EngineLease } from "./engine_lease.ts";
