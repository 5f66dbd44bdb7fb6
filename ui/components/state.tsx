/** The states of everything: each has a shape, a colour and a word. */
import {
  type Condition,
  ConditionStatus,
  EnvironmentState,
  OperationState,
  StepState,
  WorkloadState,
} from "@mpc/proto";
import { Icon, type IconName } from "./icons.tsx";

export type Tone = "ok" | "busy" | "warn" | "bad" | "idle";

/** How a state is shown. */
export interface Look {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: IconName;
}

const OK = (word: string): Look => ({ word, tone: "ok", icon: "ok" });
const BUSY = (word: string): Look => ({ word, tone: "busy", icon: "busy" });
const FAILED = (word: string): Look => ({ word, tone: "bad", icon: "failed" });
const UNKNOWN: Look = { word: "Unknown", tone: "idle", icon: "unknown" };
const WAITING: Look = { word: "Pending", tone: "idle", icon: "waiting" };
const CANCELLED: Look = { word: "Cancelled", tone: "idle", icon: "stopped" };
const LEAVING: Look = { word: "Deleting", tone: "busy", icon: "leaving" };

export const ENVIRONMENT_LOOKS: Readonly<Record<EnvironmentState, Look>> = {
  [EnvironmentState.UNSPECIFIED]: UNKNOWN,
  [EnvironmentState.CREATING]: BUSY("Creating"),
  [EnvironmentState.READY]: OK("Ready"),
  [EnvironmentState.UPDATING]: BUSY("Updating"),
  [EnvironmentState.DELETING]: LEAVING,
  [EnvironmentState.CREATE_FAILED]: FAILED("Create failed"),
  [EnvironmentState.UPDATE_FAILED]: FAILED("Update failed"),
  [EnvironmentState.DELETE_FAILED]: FAILED("Delete failed"),
};

export const WORKLOAD_LOOKS: Readonly<Record<WorkloadState, Look>> = {
  [WorkloadState.UNSPECIFIED]: UNKNOWN,
  [WorkloadState.DEPLOYING]: BUSY("Deploying"),
  [WorkloadState.READY]: OK("Ready"),
  [WorkloadState.DEPLOY_FAILED]: FAILED("Deploy failed"),
  [WorkloadState.DEGRADED]: { word: "Degraded", tone: "warn", icon: "partly" },
  [WorkloadState.DELETING]: LEAVING,
  [WorkloadState.DELETE_FAILED]: FAILED("Delete failed"),
};

export const OPERATION_LOOKS: Readonly<Record<OperationState, Look>> = {
  [OperationState.UNSPECIFIED]: UNKNOWN,
  [OperationState.PENDING]: WAITING,
  [OperationState.RUNNING]: BUSY("Running"),
  [OperationState.CANCELLING]: BUSY("Cancelling"),
  [OperationState.SUCCEEDED]: OK("Succeeded"),
  [OperationState.FAILED]: FAILED("Failed"),
  [OperationState.CANCELLED]: CANCELLED,
  [OperationState.NEEDS_ATTENTION]: { word: "Needs attention", tone: "warn", icon: "attention" },
};

export const STEP_LOOKS: Readonly<Record<StepState, Look>> = {
  [StepState.UNSPECIFIED]: UNKNOWN,
  [StepState.PENDING]: WAITING,
  [StepState.RUNNING]: BUSY("Running"),
  [StepState.SUCCEEDED]: OK("Succeeded"),
  [StepState.FAILED]: FAILED("Failed"),
  [StepState.CANCELLED]: CANCELLED,
  [StepState.UNDOING]: BUSY("Undoing"),
  [StepState.UNDONE]: { word: "Undone", tone: "idle", icon: "stopped" },
  [StepState.UNDO_FAILED]: { word: "Undo failed", tone: "bad", icon: "attention" },
};

/** Conditions of these types are bad news when they are true. */
const BAD_IF_TRUE: ReadonlySet<string> = new Set(["Drifted", "ExpiresSoon"]);

/** How a condition is shown. */
export function conditionLook(type: string, status: ConditionStatus): Look {
  if (status === ConditionStatus.TRUE) {
    return BAD_IF_TRUE.has(type) ? { word: "Yes", tone: "warn", icon: "attention" } : OK("Yes");
  }
  if (status === ConditionStatus.FALSE) return BAD_IF_TRUE.has(type) ? OK("No") : FAILED("No");
  return UNKNOWN;
}

/** Whether a condition is bad news. */
export const isBad = ({ type, status }: Pick<Condition, "type" | "status">): boolean => {
  const { tone } = conditionLook(type, status);
  return tone === "bad" || tone === "warn";
};

/** A state with a ground of its colour, for the head of a page. */
export function Badge({ of }: { readonly of: Look }) {
  return (
    <span class={`state badge ${of.tone}`}>
      <Icon name={of.icon} />
      {of.word}
    </span>
  );
}

/** A state: its shape and its word, in its colour. */
export function State({ of }: { readonly of: Look }) {
  return (
    <span class={`state ${of.tone}`}>
      <Icon name={of.icon} />
      {of.word}
    </span>
  );
}
