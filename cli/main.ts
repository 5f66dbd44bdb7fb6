import process from "node:process";
import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { configuredServer } from "./config.ts";
import { EXIT } from "./exit_codes.ts";
import { createProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

/** Runs mpctl. @returns what to exit with */
async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.OK;
  const program = await createProgram({
    terminal: processTerminal,
    exit: (code) => {
      exitCode = code;
    },
  }, args);
  neverExits(program);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed the problem, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    const { renderError } = await import("./render_error.ts");
    const { text, exitCode } = renderError(error, serverOf(args));
    processTerminal.err(text);
    return exitCode;
  }
}

/** Commander throws where it would exit, in every command of the tree. */
function neverExits(command: CommandUnknownOpts): void {
  command.exitOverride().showSuggestionAfterError();
  for (const child of command.commands) neverExits(child);
}

/** The server as the person gave it, for messages. */
function serverOf(args: readonly string[]): string {
  const at = args.indexOf("--server");
  const flag = args.find((arg) => arg.startsWith("--server="))?.slice("--server=".length);
  return flag ?? (at >= 0 ? args[at + 1] : undefined) ?? configuredServer();
}

process.exitCode = await main(process.argv.slice(2));
