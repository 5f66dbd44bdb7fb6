import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Connection } from "@mpc/client";
import { type Operation, OperationService } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { idOf } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import { printPlan } from "../output/plan.ts";
import { OPERATION_VIEW, printOne, type View } from "../output/print.ts";
import { followOperation } from "./follow_operation.ts";

/** Flags of every change. */
export interface MutationFlags {
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly planHash?: string | undefined;
}

/** The flag of changes that may be tied to the version that was seen. */
export interface EtagFlags {
  readonly etag?: string | undefined;
}

/** The request fields of these flags. The random request id makes a repeated call harmless. */
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
 * Prints the plan, or follows the operation and then prints the resource.
 * @param result reads the resource; undefined for deletions
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
    if (!isForPeople(config.output)) await printOne(context, OPERATION_VIEW, operation);
    else terminal.out(`${operation.name}\n`);
    terminal.err(`Follow it with 'mpctl op watch ${idOf(operation.name)}'\n`);
    return EXIT.OK;
  }
  const exitCode = await followOperation(context, connection, operation, flags.timeout);
  if (exitCode !== EXIT.OK) return exitCode;
  try {
    if (result) await printOne(context, result.view, await result.read());
    else await printDeletion(context, connection, operation);
    return EXIT.OK;
  } catch (error) {
    terminal.err(`${operation.kind} of '${operation.target}' succeeded\n`);
    throw error;
  }
}

/** Prints what a deletion did: its operation for programs, a sentence for people. */
async function printDeletion(
  context: CommandContext,
  connection: Connection,
  { name, kind, target, steps }: Operation,
): Promise<void> {
  const { terminal, config } = context;
  const verb = /\.(delete|abandon)$/.exec(kind)?.[1];
  if (!verb) return;
  if (!isForPeople(config.output)) {
    const ended = await connection.client(OperationService).getOperation({ name });
    return await printOne(context, OPERATION_VIEW, ended);
  }
  // With `--ignore-not-found`.
  if (steps.length === 0) terminal.err(`${target} does not exist; nothing was deleted\n`);
  else if (verb === "delete") terminal.err(`${target} is deleted\n`);
  else {
    terminal.err(`${target} is abandoned: its record is deleted, its objects are removed later\n`);
  }
}
