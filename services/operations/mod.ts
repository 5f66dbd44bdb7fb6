/** Operation kinds, their steps, and the orchestrator that both engines share. */
export type * from "./step.ts";
