import type { Client } from "@connectrpc/connect";
import {
  DiagnosticsService,
  type Leftover,
  OperationService,
  type SweepObjectsResponse,
  SweepObjectsResponseSchema,
} from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { printFindings } from "../output/findings.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { finishMutation, mutationFields, type MutationFlags } from "./finish_mutation.ts";

export interface SweepFlags extends MutationFlags {
  readonly yes?: boolean | undefined;
}

/** Lists the objects without a record, asks, and follows the operation that removes them. */
export async function sweep(context: CommandContext, flags: SweepFlags): Promise<number> {
  const { terminal, config } = context;
  return await withConnection(context, async (connection) => {
    const client = connection.client(DiagnosticsService);
    const listed = await client.sweepObjects({ validateOnly: true });
    const { leftovers, findings } = listed;
    const found = findings.length > 0 ? EXIT.ERROR : EXIT.OK;
    if (flags.dryRun || leftovers.length === 0) {
      await printList(context, listed);
      return found;
    }
    if (!flags.yes && !await isConfirmed(context, leftovers)) {
      terminal.err("Nothing was removed\n");
      return EXIT.CANCELLED;
    }
    const { requestId } = mutationFields(flags);
    const swept = await client.sweepObjects({ leftovers, requestId });
    const { operation } = swept;
    const exitCode = operation
      ? await finishMutation(context, connection, operation, flags)
      : EXIT.OK;
    if (exitCode !== EXIT.OK) return exitCode;
    if (isForPeople(config.output)) {
      if (flags.wait === false) printFindings(context, findings);
      else return await printRemoved(context, client, { leftovers, swept });
    } else if (!operation || flags.wait !== false) {
      const ended = operation &&
        await connection.client(OperationService).getOperation({ name: operation.name });
      if (ended) swept.operation = ended;
      await printMessage(context, SweepObjectsResponseSchema, swept);
    }
    return found;
  });
}

async function printList(context: CommandContext, listed: SweepObjectsResponse): Promise<void> {
  const { leftovers, findings } = listed;
  if (!isForPeople(context.config.output)) {
    return await printMessage(context, SweepObjectsResponseSchema, listed);
  }
  printLeftovers(context, leftovers);
  if (leftovers.length === 0) context.terminal.err("There is nothing to sweep\n");
  printFindings(context, findings);
}

/** Asks whether to remove what is listed; without a terminal, `--yes` is needed. */
async function isConfirmed(
  context: CommandContext,
  leftovers: readonly Leftover[],
): Promise<boolean> {
  const { terminal, host } = context;
  printLeftovers(context, leftovers);
  const count = leftovers.reduce((sum, { objects }) => sum + objects.length, 0);
  if (!terminal.interactive) {
    throw usageError(
      `Cannot sweep ${count} objects without a question: there is no terminal`,
      "Add --yes to remove them, or --dry-run to list them",
    );
  }
  const answer = await host.ask(`Remove these ${count} objects from the clusters? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** Prints what is gone, what was left alone, and the findings that remain. */
async function printRemoved(
  context: CommandContext,
  client: Client<typeof DiagnosticsService>,
  { leftovers, swept }: {
    readonly leftovers: readonly Leftover[];
    readonly swept: SweepObjectsResponse;
  },
): Promise<number> {
  const { terminal } = context;
  const after = await client.sweepObjects({ validateOnly: true });
  const left = new Set([
    ...swept.skippedUids,
    ...after.leftovers.map(({ targetUid }) => targetUid),
  ]);
  const subjects = new Set(after.findings.map(({ subject }) => subject));
  for (const { target, targetUid, objects } of leftovers) {
    const isLeft = left.has(targetUid) || objects.some((object) => subjects.has(object));
    const end = isLeft ? "have changed meanwhile and are left alone" : "are gone";
    terminal.out(`the objects of ${target} ${end}\n`);
  }
  printFindings(context, after.findings);
  return after.findings.length > 0 ? EXIT.ERROR : EXIT.OK;
}

function printLeftovers({ terminal }: CommandContext, leftovers: readonly Leftover[]): void {
  for (const { target, cluster, objects } of leftovers) {
    terminal.out(`${target} on cluster '${cluster}':\n`);
    for (const object of objects) terminal.out(`  - ${object}\n`);
  }
}
