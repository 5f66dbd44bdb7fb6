import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { ChangeAction, type Operation, OperationSchema } from "@mpc/proto";
import { toJson } from "@bufbuild/protobuf";
import type { Connection } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit_codes.ts";
import { followOperation } from "./follow_operation.ts";
import { idOf } from "./names.ts";
import { printOne, type View } from "./output/print.ts";
import { OPERATION_VIEW } from "./output/views.ts";

/** Flags that every change takes. */
export interface MutationFlags {
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly planHash?: string | undefined;
}

/** The request fields of those flags. A random request id makes a repeated call harmless. */
export function mutationFields(flags: MutationFlags): {
  requestId: string;
  validateOnly: boolean;
  planHash: string;
} {
  return {
    requestId: crypto.randomUUID(),
    validateOnly: flags.dryRun ?? false,
    planHash: flags.planHash ?? "",
  };
}

/**
 * Shows a plan, or follows the operation and prints the resource as it is then.
 * @param result reads the resource; undefined where the change leaves none
 */
export async function finishMutation<Desc extends DescMessage>(
  context: CommandContext,
  connection: Connection,
  operation: Operation,
  flags: MutationFlags,
  result?: { view: View<Desc>; read: () => Promise<MessageShape<Desc>> },
): Promise<number> {
  const { terminal, config } = context;
  if (operation.plan) {
    await printPlan(context, operation);
    return EXIT.OK;
  }
  if (flags.wait === false) {
    if (config.output !== "table") await printOne(context, OPERATION_VIEW, operation);
    else terminal.out(`${operation.name}\n`);
    terminal.err(`Follow it with 'mpctl op watch ${idOf(operation.name)}'\n`);
    return EXIT.OK;
  }
  const exitCode = await followOperation(context, connection, operation, flags.timeout);
  if (exitCode === EXIT.OK) {
    if (result) await printOne(context, result.view, await result.read());
    else if (/delete|abandon/.test(operation.kind)) {
      terminal.err(`${operation.target} is deleted\n`);
    }
  }
  return exitCode;
}

const SIGNS: Readonly<Record<ChangeAction, string>> = {
  [ChangeAction.UNSPECIFIED]: "?",
  [ChangeAction.CREATE]: "+",
  [ChangeAction.UPDATE]: "~",
  [ChangeAction.DELETE]: "-",
};

async function printPlan(context: CommandContext, operation: Operation): Promise<void> {
  const { terminal, config } = context;
  const { plan } = operation;
  if (!plan) return;
  if (config.output === "json") {
    return terminal.out(`${JSON.stringify(toJson(OperationSchema, operation), null, 2)}\n`);
  }
  if (config.output === "yaml") return await printOne(context, OPERATION_VIEW, operation);
  const lines = [`Plan of ${operation.kind} of '${operation.target}':`];
  for (const { action, object, fields } of plan.changes) {
    lines.push(`  ${SIGNS[action]} ${object}`);
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
