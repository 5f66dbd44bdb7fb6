import { ConnectError } from "@connectrpc/connect";
import { type Connection, followOperation as follow, isNotFound } from "@mpc/client";
import { type Operation, OperationService, OperationState } from "@mpc/proto";
import { type CommandContext, RECONNECT_MS } from "../context.ts";
import { CliError, EXIT } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";
import type { Host } from "../host/mod.ts";
import { idOf } from "../names.ts";
import { createProgress, type Progress } from "../output/progress.ts";

/** The longest delay of a timer, which has 31 bits; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long the user has to press ctrl-C a second time. */
const SECOND_CTRL_C_MS = 2_000;

/**
 * Shows an operation until it has ended. An unreachable server is tried again until the timeout, or
 * for `RECONNECT_MS` without one. The first ctrl-C detaches, and the operation continues.
 * @returns the exit code
 */
export async function followOperation(
  context: CommandContext,
  connection: Connection,
  operation: Operation,
  timeoutMs: number | undefined,
  progress: Progress = createProgress(context),
): Promise<number> {
  const { terminal, host, config } = context;
  const next = `Follow it with 'mpctl op watch ${idOf(operation.name)}'`;
  const stop = new AbortController();
  let why: "interrupted" | "timeout" | undefined;
  const end = (reason: "interrupted" | "timeout") => {
    why ??= reason;
    stop.abort();
  };
  const stopListening = host.onInterrupt(() => end("interrupted"));
  const timer = timeoutMs === undefined
    ? undefined
    : setTimeout(end, Math.min(timeoutMs, MAX_TIMER_MS), "timeout");
  let last = operation;
  /** Why the connection is lost; undefined while it is not. */
  let lost: ConnectError | undefined;
  const options = {
    signal: stop.signal,
    giveUpAfterMs: timeoutMs ?? RECONNECT_MS,
    onLost(error: ConnectError) {
      lost = error;
      progress.note("The connection to the server is lost; trying again");
    },
    onFound: () => lost = undefined,
  };
  try {
    for await (last of follow(connection, operation, options)) await progress.show(last);
    progress.end();
    return reportEnd(context, last);
  } catch (error) {
    progress.end();
    if (why === "interrupted") {
      terminal.err(`\nDetached; the operation continues. ${next}\n`);
      return await offerCancellation(context, connection, operation);
    }
    if (why === "timeout" && !lost) {
      throw new CliError(`The operation did not end within ${timeoutMs! / 1_000} s; it continues`, {
        exitCode: EXIT.TIMEOUT,
        hint: next,
      });
    }
    if (!(error instanceof ConnectError) || isNotFound(error)) throw error;
    const { text, exitCode } = renderError(lost ?? error, config.server.href, next);
    terminal.err(text);
    return why === "timeout" ? EXIT.TIMEOUT : exitCode;
  } finally {
    stopListening();
    clearTimeout(timer);
  }
}

function reportEnd({ terminal }: CommandContext, operation: Operation): number {
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

/** Waits for a second ctrl-C, then offers to cancel the operation. @returns the exit code */
async function offerCancellation(
  { terminal, host }: CommandContext,
  connection: Connection,
  { name }: Operation,
): Promise<number> {
  if (!terminal.interactive) return EXIT.DETACHED;
  terminal.err("Press ctrl-C again to cancel the operation\n");
  if (!await interruptedWithin(host, SECOND_CTRL_C_MS)) return EXIT.DETACHED;
  const answer = await host.ask(`Cancel ${name} and undo what it did? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) return EXIT.DETACHED;
  await connection.client(OperationService).cancelOperation({ name, reason: "ctrl-C in mpctl" });
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
