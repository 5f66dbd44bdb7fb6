/** The embedded engine, which needs only this process. */
export { EmbeddedEngine } from "./embedded_engine.ts";
