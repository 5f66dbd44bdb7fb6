import type { OperationKind } from "@mpc/domain";
import type { Definition } from "@mpc/services/sagas";
import type { WorkflowStep } from "./workflows/workflow_step.ts";

/** An attempt limits its own time. Temporal's limit is for an attempt that fails to. */
const SLACK_MS = 10_000;

/** How long a lost worker may go unnoticed, unless the step says otherwise. */
const HEARTBEAT_MS = 10_000;

/** What workflows need to know about these definitions. */
export function stepListsOf(
  definitions: Readonly<Record<OperationKind, Definition>>,
): Record<string, readonly WorkflowStep[]> {
  return Object.fromEntries(
    Object.entries(definitions).map(([kind, { steps }]) => [
      kind,
      steps.map(({ name, onCancel, undo, attemptTimeoutMs, heartbeatMs, retry }) => ({
        name,
        onCancel,
        undoable: undo !== undefined,
        startToCloseMs: attemptTimeoutMs + SLACK_MS,
        heartbeatMs: heartbeatMs ?? HEARTBEAT_MS,
        initialBackoffMs: retry.initialBackoffMs,
        maxBackoffMs: retry.maxBackoffMs,
      })),
    ]),
  );
}

/** The text of `workflows/step_lists.ts`. */
export function stepListsSource(
  definitions: Readonly<Record<OperationKind, Definition>>,
): string {
  return `/** Generated from the definitions by \`deno task bundle:workflows\`; do not edit. */
import type { OperationKind } from "@mpc/domain";
import type { WorkflowStep } from "./workflow_step.ts";

/** The steps of every kind. A change here changes what running workflows replay. */
export const STEP_LISTS: Readonly<Record<OperationKind, readonly WorkflowStep[]>> = ${
    JSON.stringify(stepListsOf(definitions), null, 2)
  };
`;
}
