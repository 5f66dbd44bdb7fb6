import type { Store } from "@mpc/storage";
import type { Authorizer, Clock, ClusterReader, Ids, Planner } from "./ports/mod.ts";

/** What use cases need. */
export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly cluster: ClusterReader;
  readonly planner: Planner;
  readonly authorizer: Authorizer;
  /** The engine that operations admitted here are for. */
  readonly engine: string;
}
