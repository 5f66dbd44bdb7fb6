/** One interface for "an environment or a workload", for code that handles both. */
import {
  type Environment,
  ENVIRONMENT_MOVES,
  type EnvironmentState,
  type NewEvent,
  type Operation,
  type Workload,
  WORKLOAD_MOVES,
  type WorkloadState,
} from "@mpc/domain";
import type { Collection, Store, Stored } from "@mpc/storage";
import { environmentEvent, type EventFacts, workloadEvent } from "../resources/resource_events.ts";
import type { LockedResource, Stamp } from "./definition.ts";
import { DEFINITIONS } from "./definitions.ts";
import { moveEnvironment, moveWorkload } from "./move_resource.ts";

/**
 * What differs between the kinds of resources. The methods of one adapter belong together: they
 * accept values from its own collection.
 */
export interface ResourceAdapter {
  collection(store: Pick<Store, "environments" | "workloads">): Collection<LockedResource>;
  /** An event about the resource, without secrets. */
  eventOf(stored: Stored<LockedResource>, facts: EventFacts): NewEvent;
  /** Moves the resource to the state that says which verb failed; unchanged if there is none. */
  fail(resource: LockedResource, stamp: Stamp): LockedResource;
}

const ENVIRONMENTS = {
  collection: (store: Pick<Store, "environments">) => store.environments,
  eventOf(stored: Stored<Environment>, facts: EventFacts) {
    return environmentEvent(stored, facts);
  },
  fail(environment: Environment, stamp: Stamp) {
    const state = failureOf<EnvironmentState>(ENVIRONMENT_MOVES[environment.state]);
    return state ? moveEnvironment(environment, state, stamp) : environment;
  },
};

const WORKLOADS = {
  collection: (store: Pick<Store, "workloads">) => store.workloads,
  eventOf(stored: Stored<Workload>, facts: EventFacts) {
    return workloadEvent(stored, facts);
  },
  fail(workload: Workload, stamp: Stamp) {
    const state = failureOf<WorkloadState>(WORKLOAD_MOVES[workload.state]);
    return state ? moveWorkload(workload, state, stamp) : workload;
  },
};

const failureOf = <State extends string>(moves: readonly State[]): State | undefined =>
  moves.find((state) => state.endsWith("FAILED"));

const ADAPTERS = { environment: ENVIRONMENTS, workload: WORKLOADS };

/** The adapter of the resource that an operation is about; undefined if it is about none. */
export function adapterOf(operation: Pick<Operation, "kind">): ResourceAdapter | undefined {
  const { resource } = DEFINITIONS[operation.kind];
  return resource === null ? undefined : ADAPTERS[resource];
}

/** The adapter of a resource that was read. */
export function adapterOfResource(resource: LockedResource): ResourceAdapter {
  return "spec" in resource ? WORKLOADS : ENVIRONMENTS;
}

/** The resource that an operation is about; undefined if there is none, or it has no record. */
export async function resourceOf(
  store: Store,
  operation: Pick<Operation, "kind" | "target">,
  signal?: AbortSignal,
): Promise<Stored<LockedResource> | undefined> {
  const collection = adapterOf(operation)?.collection(store);
  return await collection?.get(operation.target, signal ? { signal } : {});
}
