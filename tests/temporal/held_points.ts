/** The points at which workers are killed, and the names of the environments that go with them. */
import { OPERATION_KINDS, type OperationKind } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";

/** What happens to the operation when its worker is dead. */
export type Way = "goes on" | "cancelled" | "preempted";

/** Where in the step: before it has done anything, or when all is done and nothing is written. */
export type Moment = "before" | "after";

export interface HeldPoint {
  readonly kind: OperationKind;
  readonly step: string;
  readonly moment: Moment;
  readonly way: Way;
  /** Where it happens; every point has an environment of its own. */
  readonly environment: string;
}

const WAYS: readonly Way[] = ["goes on", "cancelled", "preempted"];
const MOMENTS: readonly Moment[] = ["before", "after"];

/** Deletions are not preempted by another deletion, and nothing preempts the platform's own operations. */
const waysOf = (kind: OperationKind) =>
  /delete|abandon|platform/.test(kind) ? WAYS.slice(0, 2) : WAYS;

/** Every step of every kind, killed before and after its work, in every way. */
export const HELD_POINTS: readonly HeldPoint[] = OPERATION_KINDS.flatMap((kind) =>
  DEFINITIONS[kind].steps.flatMap(({ name: step }) =>
    MOMENTS.flatMap((moment) => waysOf(kind).map((way) => ({ kind, step, moment, way })))
  )
).map((point, index) => ({ ...point, environment: `e-${index}` }));

const BY_ENVIRONMENT = new Map(HELD_POINTS.map((point) => [point.environment, point]));

/** Whether the worker hangs here. */
export function isHeld(
  environment: string,
  kind: OperationKind,
  step: string,
  moment: Moment,
): boolean {
  const point = BY_ENVIRONMENT.get(environment);
  return point?.kind === kind && point.step === step && point.moment === moment;
}
