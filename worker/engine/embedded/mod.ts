/** The engine that needs nothing but this process. */
export { EmbeddedEngine, type EmbeddedEngineOptions } from "./embedded_engine.ts";
