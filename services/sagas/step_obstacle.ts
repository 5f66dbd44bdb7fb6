/** What keeps a running step from making progress: in the detail of its heartbeat, for explain. */
import type { Advice, JsonValue, Responsible, StepRecord } from "@mpc/domain";

/** The detail of a heartbeat. */
export const obstacleDetail = (advice: Advice | undefined): JsonValue =>
  advice ? { obstacle: { ...advice } } : null;

/** Who can end what a running step waits for, and how; undefined if it needs nobody. */
export function obstacleOf({ state, heartbeat }: StepRecord): Advice | undefined {
  if (state !== "RUNNING" && state !== "UNDOING") return undefined;
  const { responsible, nextStep, command } = fieldsOf(fieldsOf(heartbeat)["obstacle"]);
  const isAdvice = typeof nextStep === "string" && typeof command === "string";
  return isAdvice && isResponsible(responsible) ? { responsible, nextStep, command } : undefined;
}

const isResponsible = (value: unknown): value is Responsible =>
  value === "nobody" || value === "caller" || value === "platform" || value === "cluster";

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};
