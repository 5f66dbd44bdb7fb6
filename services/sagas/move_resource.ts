/** How operations change the record of their resource: states, conditions and the lock. */
import { isDeepStrictEqual } from "node:util";
import {
  assertMove,
  DRIFTED,
  type Environment,
  ENVIRONMENT_MOVES,
  type EnvironmentState,
  setCondition,
  stateReason,
  type Workload,
  WORKLOAD_MOVES,
  type WorkloadState,
} from "@mpc/domain";
import type { Stamp } from "./definition.ts";

/**
 * The generation of a resource from now on. It counts changes of what is asked for, so an operation
 * that asks for what is there already (a reconciliation, the same update again) leaves it.
 */
export function nextGeneration<T extends Environment | Workload>(
  current: T | null,
  wanted: Partial<T>,
): number {
  if (!current) return 1;
  const before = Object.fromEntries(
    Object.keys(wanted).map((key) => [key, current[key as keyof T]]),
  );
  return isDeepStrictEqual(before, { ...wanted }) ? current.generation : current.generation + 1;
}

/** Moves an environment to another state, with the `Ready` condition of that state. */
export function moveEnvironment(
  environment: Environment,
  state: EnvironmentState,
  stamp: Stamp,
): Environment {
  assertMove(ENVIRONMENT_MOVES, environment.name, environment.state, state);
  return { ...environment, state, ...observed(environment, state, stamp) };
}

/** Moves a workload to another state, with the `Ready` condition of that state. */
export function moveWorkload(workload: Workload, state: WorkloadState, stamp: Stamp): Workload {
  assertMove(WORKLOAD_MOVES, workload.name, workload.state, state);
  return { ...workload, state, ...observed(workload, state, stamp) };
}

/** A resource that has just been applied has no drift. */
export function asApplied<T extends Environment | Workload>(resource: T, { now }: Stamp): T {
  const before = resource.conditions.find(({ type }) => type === DRIFTED);
  if (before === undefined || before.status === "FALSE") return resource;
  const { remedy: _, ...rest } = before;
  const after = { ...rest, status: "FALSE" as const, reason: "AsApplied" as const, message: "" };
  return { ...resource, conditions: setCondition(resource.conditions, after, now) };
}

function observed(
  resource: Environment | Workload,
  state: EnvironmentState | WorkloadState,
  stamp: Stamp,
): Pick<Environment, "conditions" | "updateTime"> {
  const ready = {
    type: "Ready",
    status: state === "READY" ? "TRUE" as const : "FALSE" as const,
    reason: stateReason(state),
    message: stamp.message,
    observedGeneration: resource.generation,
  };
  return {
    conditions: setCondition(resource.conditions, ready, stamp.now),
    updateTime: stamp.now,
  };
}
