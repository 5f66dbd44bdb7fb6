import { ChangeAction, type Operation, OperationSchema } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { isForPeople } from "./format.ts";
import { printMessage } from "./print.ts";

const SIGNS: Readonly<Record<ChangeAction, string>> = {
  [ChangeAction.UNSPECIFIED]: "?",
  [ChangeAction.CREATE]: "+",
  [ChangeAction.UPDATE]: "~",
  [ChangeAction.DELETE]: "-",
};

/** Prints an operation's plan. */
export async function printPlan(context: CommandContext, operation: Operation): Promise<void> {
  const { terminal, config } = context;
  const { plan } = operation;
  if (!plan) return;
  if (!isForPeople(config.output)) {
    return await printMessage(context, OperationSchema, operation);
  }
  const lines = [`Plan of ${operation.kind} of '${operation.target}':`];
  for (const { action, object, fields, note } of plan.changes) {
    lines.push(`  ${SIGNS[action]} ${object}`);
    if (note !== "") lines.push(`      note: ${note}`);
    for (const { path, before, after } of fields) {
      lines.push(`      ${path}: ${before || "(none)"} → ${after || "(none)"}`);
    }
  }
  if (plan.changes.length === 0) lines.push("  nothing changes on the cluster");
  for (const { resource, before, after, limit } of plan.quota) {
    lines.push(`  quota ${resource}: ${before} → ${after} of ${limit}`);
  }
  lines.push("Steps:");
  for (const { name, undo, onCancel } of plan.steps) {
    lines.push(`  ${name} (on failure: ${undo ? "undone" : "kept"}, on cancel: ${onCancel})`);
  }
  lines.push(`Plan hash: ${plan.planHash}`);
  terminal.out(`${lines.join("\n")}\n`);
}
