import process from "node:process";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type Operation, OperationService, OperationState } from "@mpc/proto";
import { CliError } from "./cli_error.ts";
import type { Connection } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit_codes.ts";
import { idOf } from "./names.ts";
import { createProgress } from "./output/progress.ts";

/** How often a watch that broke is begun anew in a row. */
const MAX_BREAKS = 5;

/** How long a person has to press ctrl-C a second time. */
const SECOND_CHANCE_MS = 2_000;

/**
 * Shows an operation until it has ended. The first ctrl-C detaches: the operation goes on.
 * @returns what to exit with
 */
export async function followOperation(
  context: CommandContext,
  connection: Connection,
  operation: Operation,
  timeoutMs: number | undefined,
): Promise<number> {
  const { terminal } = context;
  const client = connection.client(OperationService);
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort();
  process.once("SIGINT", onInterrupt);
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = timeout ? AbortSignal.any([interrupted.signal, timeout]) : interrupted.signal;
  const progress = createProgress(context);
  try {
    const last = await watch(client, operation, signal, (seen) => progress.show(seen));
    progress.end();
    return tellEnding(context, last);
  } catch (error) {
    progress.end();
    const resume = `mpctl op watch ${idOf(operation.name)}`;
    if (timeout?.aborted) {
      throw new CliError(`The operation did not end within ${timeoutMs! / 1_000} s; it goes on`, {
        exitCode: EXIT.TIMEOUT,
        hint: `Follow it with '${resume}'`,
      });
    }
    if (!interrupted.signal.aborted) throw error;
    terminal.err(`\nDetached; the operation goes on. Follow it with '${resume}'\n`);
    return await secondChance(context, client, operation);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

async function watch(
  client: Client<typeof OperationService>,
  operation: Operation,
  signal: AbortSignal,
  show: (operation: Operation) => void,
): Promise<Operation> {
  let last = operation;
  show(last);
  for (let breaks = 0; !last.done;) {
    try {
      for await (const seen of client.watchOperation({ name: operation.name }, { signal })) {
        breaks = 0;
        last = seen;
        show(last);
      }
    } catch (error) {
      const broke = ConnectError.from(error).code === Code.Unavailable ||
        ConnectError.from(error).code === Code.Unknown;
      if (signal.aborted || !broke || ++breaks > MAX_BREAKS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * breaks));
    }
  }
  return last;
}

function tellEnding({ terminal }: CommandContext, operation: Operation): number {
  const id = idOf(operation.name);
  switch (operation.state) {
    case OperationState.SUCCEEDED:
      return EXIT.OK;
    case OperationState.CANCELLED:
      terminal.err(
        `Cancelled: ${
          operation.cancellation?.reason ?? ""
        } (by ${operation.cancellation?.actor})\n`,
      );
      return EXIT.CANCELLED;
    default: {
      const { error, residue } = operation;
      terminal.err(`Error: ${operation.kind} of '${operation.target}' failed\n`);
      if (error) terminal.err(`  ${error.reason}: ${error.message}\n`);
      for (const { object, reason, remedy } of residue) {
        terminal.err(`  left behind: ${object} (${reason}); remove it with '${remedy}'\n`);
      }
      terminal.err(`See 'mpctl op explain ${id}'\n`);
      return EXIT.OPERATION_FAILED;
    }
  }
}

/** Waits a moment for a second ctrl-C, and then asks whether to cancel. */
async function secondChance(
  { terminal }: CommandContext,
  client: Client<typeof OperationService>,
  { name }: Operation,
): Promise<number> {
  if (!terminal.interactive) return EXIT.DETACHED;
  terminal.err("Press ctrl-C again to cancel the operation\n");
  const again = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), SECOND_CHANCE_MS);
    process.once("SIGINT", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
  if (!again) return EXIT.DETACHED;
  // Loaded here, because a bundle would load it at every start.
  const { createInterface } = await import("node:readline/promises");
  const terminalInput = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminalInput.question(`Cancel ${name} and undo what it did? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) return EXIT.DETACHED;
    await client.cancelOperation({ name, reason: "ctrl-C in mpctl" });
    terminal.err(`Cancelling; follow it with 'mpctl op watch ${idOf(name)}'\n`);
    return EXIT.CANCELLED;
  } finally {
    terminalInput.close();
  }
}
