import type { Client } from "@connectrpc/connect";
import { type Operation, OperationService, OperationState } from "@mpc/proto";
import { CliError } from "./cli_error.ts";
import type { Connection } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit_codes.ts";
import { isBroken } from "./follow_events.ts";
import type { Host } from "./host/mod.ts";
import { idOf } from "./names.ts";
import { createProgress, type Progress } from "./output/progress.ts";

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
  progress: Progress = createProgress(context),
): Promise<number> {
  const { terminal, host } = context;
  const client = connection.client(OperationService);
  const stop = new AbortController();
  let why: "interrupted" | "timeout" | undefined;
  const end = (reason: "interrupted" | "timeout") => {
    why ??= reason;
    stop.abort();
  };
  const stopListening = host.onInterrupt(() => end("interrupted"));
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs, "timeout");
  try {
    const last = await watch(client, operation, stop.signal, (seen) => progress.show(seen));
    progress.end();
    return tellEnding(context, last);
  } catch (error) {
    progress.end();
    const resume = `mpctl op watch ${idOf(operation.name)}`;
    if (why === "timeout") {
      throw new CliError(`The operation did not end within ${timeoutMs! / 1_000} s; it goes on`, {
        exitCode: EXIT.TIMEOUT,
        hint: `Follow it with '${resume}'`,
      });
    }
    if (why !== "interrupted") throw error;
    terminal.err(`\nDetached; the operation goes on. Follow it with '${resume}'\n`);
    return await secondChance(context, client, operation);
  } finally {
    stopListening();
    clearTimeout(timer);
  }
}

async function watch(
  client: Client<typeof OperationService>,
  operation: Operation,
  signal: AbortSignal,
  show: (operation: Operation) => void | Promise<void>,
): Promise<Operation> {
  let last = operation;
  await show(last);
  for (let breaks = 0; !last.done;) {
    let broken: unknown = new CliError("The server ends the watch before the operation has ended", {
      hint: `Look at it with 'mpctl op get ${idOf(operation.name)}'`,
    });
    try {
      for await (const seen of client.watchOperation({ name: operation.name }, { signal })) {
        breaks = 0;
        last = seen;
        await show(last);
      }
      if (last.done) break;
    } catch (error) {
      if (signal.aborted || !isBroken(error)) throw error;
      broken = error;
    }
    if (++breaks > MAX_BREAKS) throw broken;
    await new Promise((resolve) => setTimeout(resolve, 200 * breaks));
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
  { terminal, host }: CommandContext,
  client: Client<typeof OperationService>,
  { name }: Operation,
): Promise<number> {
  if (!terminal.interactive) return EXIT.DETACHED;
  terminal.err("Press ctrl-C again to cancel the operation\n");
  if (!await interruptedWithin(host, SECOND_CHANCE_MS)) return EXIT.DETACHED;
  const answer = await host.ask(`Cancel ${name} and undo what it did? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) return EXIT.DETACHED;
  await client.cancelOperation({ name, reason: "ctrl-C in mpctl" });
  terminal.err(`Cancelling; follow it with 'mpctl op watch ${idOf(name)}'\n`);
  return EXIT.CANCELLED;
}

function interruptedWithin(host: Host, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (interrupted: boolean) => {
      clearTimeout(timer);
      stopListening();
      resolve(interrupted);
    };
    const timer = setTimeout(end, ms, false);
    const stopListening = host.onInterrupt(() => end(true));
  });
}
