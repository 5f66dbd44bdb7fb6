/** Use cases of the platform and the ports they need. */
export type * from "./ports.ts";
