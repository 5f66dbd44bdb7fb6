/** Use cases of the platform and the ports they need. */
export type * from "./ports.ts";
export * from "./resource_events.ts";
export { type Edit, updateDocument } from "./update_document.ts";
