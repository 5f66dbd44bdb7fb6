import { ConnectError } from "@connectrpc/connect";
import { type Connection, followOperation as follow, isNotFound } from "@mpc/client";
import { type Operation, OperationService, OperationState } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";
import { BrokenPipe, type Host } from "../host/mod.ts";
import { idOf } from "../names.ts";
import { createProgress, type Progress } from "../output/progress.ts";
import { elapsed } from "../output/time.ts";
import { following, type FollowOptions, type Stopped } from "./following.ts";

/** How long the user has to press ctrl-C a second time. */
const SECOND_CTRL_C_MS = 2_000;

/**
 * Shows an operation until it has ended, ctrl-C, or the timeout; the operation itself continues.
 * @returns the exit code
 */
export async function followOperation(
  context: CommandContext,
  connection: Connection,
  operation: Operation,
  timeoutMs: number | undefined,
  progress: Progress = createProgress(context),
): Promise<number> {
  const { terminal } = context;
  const options: FollowOptions = { timeoutMs, note: (text) => progress.note(text) };
  const show = (seen: Operation) => progress.show(seen);
  // From the beginning, since an interrupt that nobody listens to ends the process.
  const interrupts = listenToInterrupts(context.host);
  try {
    const waited = await waitForOperation(context, connection, operation, options, show);
    progress.end();
    if (waited.stopped?.why !== "interrupted") {
      terminal.err(waited.text);
      return waited.exitCode;
    }
    const asks = waited.stopped.by === "SIGINT" && terminal.interactive;
    const offer = asks ? ". Press ctrl-C again to cancel it" : "";
    terminal.err(`\nDetached; the operation continues${offer}\n${waited.text}`);
    if (!asks || !await interrupts.second(SECOND_CTRL_C_MS)) return EXIT.DETACHED;
    interrupts.stop();
    return await offerCancellation(context, connection, operation);
  } catch (error) {
    progress.end();
    throw error;
  } finally {
    interrupts.stop();
  }
}

/** How the wait for an operation ended. */
export interface Waited {
  /** Why the operation is no longer followed; undefined if it has ended. */
  readonly stopped: Stopped | undefined;
  readonly exitCode: number;
  /** For people; the last line says how to go on. Empty after a success. */
  readonly text: string;
}

/**
 * Waits until an operation has ended, or waiting has.
 * @throws {ConnectError} an error of the API
 */
export async function waitForOperation(
  context: CommandContext,
  connection: Connection,
  operation: Operation,
  options: FollowOptions,
  show: (operation: Operation) => void | Promise<void>,
): Promise<Waited> {
  const next = watchCommand(operation);
  let last = operation;
  try {
    const stopped = await following(context, options, async (reconnect) => {
      for await (last of follow(connection, operation, reconnect)) await show(last);
    });
    if (!stopped) return { stopped, ...endOf(last) };
    if (stopped.why === "interrupted") {
      return { stopped, exitCode: EXIT.DETACHED, text: `${next}\n` };
    }
    if (!stopped.lost) {
      const time = elapsed(options.timeoutMs ?? 0);
      const text = `Error: The operation did not end within ${time}; it continues\n${next}\n`;
      return { stopped, exitCode: EXIT.TIMEOUT, text };
    }
    const { text, exitCode } = renderError(stopped.lost, context.config, next);
    return { stopped, exitCode: stopped.why === "timeout" ? EXIT.TIMEOUT : exitCode, text };
  } catch (error) {
    // Nobody reads the progress any more.
    if (error instanceof BrokenPipe && !last.done) {
      const stopped = { why: "interrupted", by: "SIGTERM" } as const;
      return { stopped, exitCode: EXIT.DETACHED, text: `${next}\n` };
    }
    if (!(error instanceof ConnectError) || isNotFound(error)) throw error;
    // The API rejects the watch, not the operation.
    return { stopped: { why: "lost", lost: error }, ...renderError(error, context.config, next) };
  }
}

/** How to follow an operation. */
export const watchCommand = ({ name }: Pick<Operation, "name">): string =>
  `Follow it with 'mpctl op watch ${idOf(name)}'`;

/** The exit code of an operation that has ended, and what to print about it. */
function endOf(
  { name, state, kind, target, error, residue, cancellation }: Operation,
): Pick<Waited, "exitCode" | "text"> {
  if (state === OperationState.SUCCEEDED) return { exitCode: EXIT.OK, text: "" };
  if (state === OperationState.CANCELLED) {
    const { reason = "", actor = "" } = cancellation ?? {};
    return { exitCode: EXIT.CANCELLED, text: `Cancelled: ${reason} (by ${actor})\n` };
  }
  const lines = [
    `Error: ${kind} of '${target}' failed`,
    ...(error ? [`  ${error.reason}: ${error.message}`] : []),
    ...residue.map(({ object, reason, remedy }) =>
      `  left behind: ${object} (${reason}); remove it with '${remedy}'`
    ),
    `See 'mpctl op explain ${idOf(name)}'`,
  ];
  return { exitCode: EXIT.OPERATION_FAILED, text: lines.map((line) => `${line}\n`).join("") };
}

/** Offers to cancel the operation. @returns the exit code */
async function offerCancellation(
  { terminal, host }: CommandContext,
  connection: Connection,
  operation: Operation,
): Promise<number> {
  const { name } = operation;
  const answer = await host.ask(`Cancel ${name} and undo what it did? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) {
    terminal.err(`The operation continues. ${watchCommand(operation)}\n`);
    return EXIT.DETACHED;
  }
  await connection.client(OperationService).cancelOperation({ name, reason: "ctrl-C in mpctl" });
  terminal.err(`Cancelling; follow it with 'mpctl op watch ${idOf(name)}'\n`);
  return EXIT.CANCELLED;
}

function listenToInterrupts(host: Host): {
  /** Waits for the second interrupt. @returns false if it does not come in time */
  second(ms: number): Promise<boolean>;
  stop(): void;
} {
  let count = 0;
  let onSecond = () => {};
  const stop = host.onInterrupt(() => {
    if (++count === 2) onSecond();
  });
  return {
    second: (ms) =>
      new Promise((resolve) => {
        if (count >= 2) return resolve(true);
        const timer = setTimeout(resolve, ms, false);
        onSecond = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
    stop,
  };
}
