import type { Client } from "@connectrpc/connect";
import {
  CancelOperationResponseSchema,
  ExplainOperationResponseSchema,
  OperationService,
} from "@mpc/proto";
import { type CommandContext, withClient, withConnection } from "../context.ts";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import { idOf } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import { OPERATION_VIEW, printMessage, printOne } from "../output/print.ts";
import { createProgress, machineProgress } from "../output/progress.ts";
import { plainStep } from "../output/steps.ts";
import { timings } from "../output/timings.ts";
import { finishMutation, mutationFields, type MutationFlags } from "./finish_mutation.ts";
import { followOperation, watchCommand } from "./follow_operation.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The name of an operation, from its id or at least four characters of the id's beginning or end.
 * @throws {CliError} usage or not found
 */
async function operationName(
  client: Client<typeof OperationService>,
  typed: string,
): Promise<string> {
  const id = typed.replace(/^operations\//, "");
  if (UUID.test(id)) return `operations/${id}`;
  if (!/^[0-9a-f-]{4,36}$/.test(id)) {
    throw usageError(`Cannot find operation '${typed}': must be an id, or four characters of it`);
  }
  const filter = `name = "operations/${id}*" OR name = "*${id}"`;
  const { operations } = await client.listOperations({ filter, pageSize: 2 });
  const [found, other] = operations;
  if (found && !other) return found.name;
  // An ambiguous id is not "not found": scripts would take the operation for deleted.
  throw new CliError(
    `Cannot find operation '${typed}': ${found ? "more than one has" : "none has"} such an id`,
    {
      exitCode: found ? EXIT.USAGE : EXIT.NOT_FOUND,
      hint: found ? "Type more of it; see 'mpctl op list'" : "See 'mpctl op list'",
    },
  );
}

/** `mpctl op get` */
export async function getOperation(context: CommandContext, typed: string): Promise<number> {
  const found = await withClient(
    context,
    OperationService,
    async (client) => await client.getOperation({ name: await operationName(client, typed) }),
  );
  await printOne(context, OPERATION_VIEW, found);
  if (isForPeople(context.config.output)) {
    context.terminal.out("\n");
    for (const step of found.steps) {
      context.terminal.out(`${plainStep(step, Date.now())}\n`);
    }
    if (found.error) {
      context.terminal.out(`\n${found.error.code} ${found.error.reason}: ${found.error.message}\n`);
    }
    const spent = await timings(found, Date.now());
    if (spent.length > 0) context.terminal.out(`\n${spent.join("\n")}\n`);
  }
  return EXIT.OK;
}

/** `mpctl op watch` */
export async function watchOperation(
  context: CommandContext,
  typed: string,
  flags: { readonly timeout?: number | undefined },
): Promise<number> {
  return await withConnection(context, async (connection) => {
    const client = connection.client(OperationService);
    const operation = await client.getOperation({ name: await operationName(client, typed) });
    const progress = isForPeople(context.config.output)
      ? createProgress(context)
      : machineProgress(context);
    return await followOperation(context, connection, operation, flags.timeout, progress);
  });
}

/** `mpctl op explain` */
export async function explainOperation(context: CommandContext, typed: string): Promise<number> {
  const { terminal, config } = context;
  const answer = await withClient(
    context,
    OperationService,
    async (client) => await client.explainOperation({ name: await operationName(client, typed) }),
  );
  if (!isForPeople(config.output)) {
    await printMessage(context, ExplainOperationResponseSchema, answer);
    return EXIT.OK;
  }
  terminal.out(`${answer.summary}\n`);
  answer.causes.forEach(({ scope, subject, reason, message }, depth) => {
    terminal.out(`${"  ".repeat(depth + 1)}${scope} ${subject}: ${reason}: ${message}\n`);
  });
  terminal.out(`Who must act: ${answer.responsible}\n`);
  if (answer.nextStep !== "") terminal.out(`What to do: ${answer.nextStep}\n`);
  if (answer.nextCommand !== "") terminal.out(`Next: ${answer.nextCommand}\n`);
  return EXIT.OK;
}

export interface OpCancelFlags {
  readonly reason?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
}

/** `mpctl op cancel` */
export async function cancelOperation(
  context: CommandContext,
  typed: string,
  flags: OpCancelFlags,
): Promise<number> {
  const { terminal } = context;
  return await withConnection(context, async (connection) => {
    const client = connection.client(OperationService);
    const answer = await client.cancelOperation({
      name: await operationName(client, typed),
      reason: flags.reason ?? "",
      validateOnly: flags.dryRun ?? false,
    });
    const list = (steps: readonly string[]) => steps.length > 0 ? steps.join(", ") : "nothing";
    if (flags.dryRun && !isForPeople(context.config.output)) {
      await printMessage(context, CancelOperationResponseSchema, answer);
      return EXIT.OK;
    }
    const print = flags.dryRun ? terminal.out : terminal.err;
    print(`undone: ${list(answer.undoneSteps)}\nkept:   ${list(answer.keptSteps)}\n`);
    print(`then:   ${answer.outcome}\n`);
    const { operation } = answer;
    if (flags.dryRun || !operation) return EXIT.OK;
    if (flags.wait === false) {
      terminal.err(`${watchCommand(operation)}\n`);
      return EXIT.OK;
    }
    const ended = await followOperation(context, connection, operation, flags.timeout);
    if (ended === EXIT.OK) {
      terminal.err("The operation succeeded before it could be cancelled\n");
      return EXIT.CONFLICT;
    }
    if (ended !== EXIT.CANCELLED) return ended;
    if (!isForPeople(context.config.output)) {
      const { name } = operation;
      await printOne(context, OPERATION_VIEW, await client.getOperation({ name }));
    }
    // The user asked for the cancellation.
    return EXIT.OK;
  });
}

/** `mpctl op retry` */
export async function retryOperation(
  context: CommandContext,
  typed: string,
  flags: MutationFlags & { readonly forceConflicts?: true | undefined },
): Promise<number> {
  return await withConnection(context, async (connection) => {
    const client = connection.client(OperationService);
    const name = await operationName(client, typed);
    const forceConflicts = flags.forceConflicts ?? false;
    const operation = await client.retryOperation({
      name,
      forceConflicts,
      ...mutationFields(flags),
    });
    if (!operation.plan) context.terminal.err(`Retried as ${idOf(operation.name)}\n`);
    return await finishMutation(context, connection, operation, flags);
  });
}
