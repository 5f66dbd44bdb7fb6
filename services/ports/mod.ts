/** What use cases and steps need from outside; other rooms implement these ports. */
export type * from "./audit.ts";
export type * from "./authorizer.ts";
export type * from "./limits.ts";
export type * from "./claims.ts";
export type * from "./clock.ts";
export type * from "./cluster_reader.ts";
export type * from "./engine.ts";
export type * from "./ids.ts";
export type * from "./planner.ts";
export type * from "./provider.ts";
export type * from "./token_reviewer.ts";
