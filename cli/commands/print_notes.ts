import {
  type Condition,
  ConditionStatus,
  type Environment,
  type Operation,
  OperationService,
  StepState,
  type Workload,
} from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { idOf } from "../names.ts";
import { plainStep } from "../output/steps.ts";

/**
 * Prints below the table what keeps a resource from being as it should: the step that its running
 * operation is at, its failure, and its conditions, each with the command that goes on.
 */
export async function printNotes(
  context: CommandContext,
  resource: Environment | Workload,
): Promise<void> {
  const { currentOperation } = resource;
  const running = currentOperation
    ? await withClient(
      context,
      OperationService,
      (client) => client.getOperation({ name: currentOperation }),
    )
    : undefined;
  const notes = running
    ? [progressOf(running)]
    : resource.conditions.flatMap((condition) => noteOf(resource, condition));
  for (const note of notes) context.terminal.out(`\n${note}\n`);
}

function progressOf({ name, steps, waitingReason }: Operation): string {
  const busy = steps.filter(({ state }) =>
    state === StepState.RUNNING || state === StepState.UNDOING
  );
  return [
    ...(waitingReason === "" ? [] : [`It waits: ${waitingReason}`]),
    ...busy.map((step) => plainStep(step, Date.now())),
    `Next: mpctl op explain ${idOf(name)}`,
  ].join("\n");
}

function noteOf(
  { lastOperation }: Environment | Workload,
  { type, status, reason, message }: Condition,
): readonly string[] {
  if (message === "") return [];
  if (type === "Ready") {
    if (status !== ConditionStatus.FALSE) return [];
    return [`${reason}: ${message}\nNext: mpctl op explain ${idOf(lastOperation)}`];
  }
  // The message of a drift has the command that reverts it.
  if (type === "Drifted" && status === ConditionStatus.TRUE) {
    return [`${type}: ${message}\nWho must act: caller`];
  }
  return status === ConditionStatus.FALSE ? [] : [`${type}: ${message}`];
}
