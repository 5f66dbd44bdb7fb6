/** The engine that needs nothing but this process. */
export { EmbeddedEngine } from "./embedded_engine.ts";
