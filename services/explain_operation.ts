import {
  environmentIdOf,
  type ErrorRecord,
  idOf,
  type Operation,
  type StepRecord,
} from "@mpc/domain";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import { getOperation } from "./get_operation.ts";

/** Who must act before an operation can end well. */
export type Responsible = "nobody" | "caller" | "platform" | "cluster";

export interface ExplainedCause {
  readonly scope: "operation" | "step" | "attempt" | "cause";
  readonly subject: string;
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

export interface Explanation {
  /** One sentence. */
  readonly summary: string;
  /** From the operation down to the nearest cause. */
  readonly causes: readonly ExplainedCause[];
  readonly responsible: Responsible;
  /** Empty where there is nothing to do. */
  readonly nextCommand: string;
}

/** What callers can mend by asking for something else. */
const CALLER_REASONS = new Set([
  "IMAGE_PULL_FAILED",
  "CRASH_LOOP",
  "OOM_KILLED",
  "CONTAINER_NOT_STARTED",
  "ADMISSION_DENIED",
  "IMMUTABLE_FIELD",
  "OBJECT_INVALID",
  "UNKNOWN_CLUSTER",
  "QUOTA_EXCEEDED",
  "PROGRESS_DEADLINE_EXCEEDED",
  "INVALID_FIELDS",
  "DELETION_PROTECTED",
  "OPERATION_CANCELLED",
  "ENVIRONMENT_NOT_FOUND",
  "ENVIRONMENT_NOT_READY",
]);

/** What only those who run the cluster can mend. */
const CLUSTER_REASONS = new Set([
  "UNSCHEDULABLE",
  "CLUSTER_UNREACHABLE",
  "CLUSTER_FORBIDS",
  "CLUSTER_CREDENTIALS",
  "CLUSTER_NOT_TRUSTED",
  "CLUSTER_NOT_PERMITTED",
  "KUBECONFIG_UNUSABLE",
  "KIND_UNKNOWN",
  "ADMISSION_UNREACHABLE",
  "DELETE_BLOCKED",
  "OWNED_BY_ANOTHER",
  "CLUSTER_CONFLICT",
  "NO_NAMESPACE",
]);

/**
 * Says why an operation is as it is, who must act, and what to do next.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function explainOperation(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Explanation> {
  return explain((await getOperation(deps, caller, name)).value);
}

/** The explanation of an operation's record. */
export function explain(operation: Operation): Explanation {
  const step = stepAtFault(operation);
  const attempt = step?.attempts.findLast((attempt) => attempt.error !== null);
  const error = operation.error ?? attempt?.error ?? null;
  const responsible = whoActs(operation, error);
  return {
    summary: summary(operation, step, attempt?.nextRetryTime ?? null),
    causes: error ? causesOf(operation, step, error) : [],
    responsible,
    nextCommand: nextCommand(operation, responsible),
  };
}

function stepAtFault(operation: Operation): StepRecord | undefined {
  return operation.steps.find((step) => step.state === "UNDO_FAILED") ??
    operation.steps.find((step) => step.name === operation.error?.metadata["step"]) ??
    operation.steps.find((step) => step.state === "RUNNING" || step.state === "UNDOING");
}

function summary(
  operation: Operation,
  step: StepRecord | undefined,
  nextRetryTime: number | null,
): string {
  const what = `${operation.kind} of '${operation.target}'`;
  switch (operation.state) {
    case "PENDING":
      return `${what} waits to begin${operation.waitingReason && `: ${operation.waitingReason}`}`;
    case "RUNNING": {
      const tries = step?.attempts.at(-1)?.number ?? 1;
      const retry = nextRetryTime !== null && step?.attempts.at(-1)?.endTime !== null
        ? `; attempt ${tries} failed, the next begins at ${new Date(nextRetryTime).toISOString()}`
        : tries > 1
        ? ` for the ${ordinal(tries)} time`
        : "";
      const progress = step?.progress ? `: ${step.progress}` : "";
      return `${what} runs step '${step?.name ?? ""}'${retry}${progress}`;
    }
    case "CANCELLING":
      return `${what} is being cancelled: ${operation.cancellation?.reason ?? ""}`;
    case "CANCELLED":
      return `${what} was cancelled by ${operation.cancellation?.actor}: ${operation.cancellation?.reason}`;
    case "SUCCEEDED":
      return `${what} succeeded`;
    case "FAILED": {
      const undone = operation.steps.filter(({ state }) => state === "UNDONE");
      const names = undone.map(({ name }) => name).reverse().join(", ");
      return `${what} failed at step '${step?.name ?? ""}'${names && `; undone: ${names}`}`;
    }
    case "NEEDS_ATTENTION":
      return `${what} failed, and so did the undo of step '${step?.name ?? ""}'`;
  }
}

function causesOf(
  operation: Operation,
  step: StepRecord | undefined,
  error: ErrorRecord,
): readonly ExplainedCause[] {
  const top: ExplainedCause[] = operation.error
    ? [{ scope: "operation", subject: idOf(operation.name), ...plain(operation.error) }]
    : [];
  const undo = step?.attempts.findLast((attempt) => attempt.undo && attempt.error);
  const failedUndo: ExplainedCause[] = step && undo?.error && step.state === "UNDO_FAILED"
    ? [{ scope: "step", subject: `undo of ${step.name}`, ...plain(undo.error) }]
    : [];
  const own: ExplainedCause[] = step && !operation.error
    ? [{ scope: "attempt", subject: step.name, ...plain(error) }]
    : [];
  const below = error.causes.map((cause): ExplainedCause => ({
    scope: "cause",
    subject: error.metadata["pod"] ?? step?.name ?? "",
    ...plain(cause),
  }));
  return [...top, ...failedUndo, ...own, ...below];
}

function plain({ code, reason, message }: Pick<ErrorRecord, "code" | "reason" | "message">) {
  return { code, reason, message };
}

function whoActs(operation: Operation, error: ErrorRecord | null): Responsible {
  if (operation.state === "SUCCEEDED" || operation.state === "CANCELLED") return "nobody";
  if (!error) return operation.state === "PENDING" ? "platform" : "nobody";
  const reasons = [error.reason, ...error.causes.map((cause) => cause.reason)];
  if (reasons.some((reason) => CALLER_REASONS.has(reason))) return "caller";
  if (reasons.some((reason) => CLUSTER_REASONS.has(reason))) return "cluster";
  return error.code === "INVALID_ARGUMENT" ? "caller" : "platform";
}

function nextCommand(operation: Operation, responsible: Responsible): string {
  const id = idOf(operation.name);
  switch (operation.state) {
    case "SUCCEEDED":
      return "";
    case "PENDING":
    case "RUNNING":
    case "CANCELLING":
      return `mpctl op watch ${id}`;
    case "NEEDS_ATTENTION":
      return operation.residue[0]?.remedy ?? `mpctl op retry ${id}`;
    case "CANCELLED":
      return "";
    case "FAILED": {
      const target = operation.target;
      const deploys = operation.kind === "workload.deploy";
      return responsible === "caller" && deploys
        ? `mpctl workload deploy ${idOf(target)} --env ${environmentIdOf(target)} --image IMAGE`
        : `mpctl op retry ${id}`;
    }
  }
}

function ordinal(count: number): string {
  const suffix = count % 100 >= 11 && count % 100 <= 13
    ? "th"
    : ({ 1: "st", 2: "nd", 3: "rd" } as Record<number, string>)[count % 10] ?? "th";
  return `${count}${suffix}`;
}
