import type { Store } from "@mpc/storage";
import type { Authorizer, Clock, ClusterReader, Ids, Planner } from "./ports/mod.ts";

/** The dependencies of use cases. */
export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly cluster: ClusterReader;
  readonly planner: Planner;
  readonly authorizer: Authorizer;
  /** The engine that executes the operations admitted here. */
  readonly engine: string;
}
