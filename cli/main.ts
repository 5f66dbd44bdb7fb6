import process from "node:process";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { configuredServer } from "./config.ts";
import { EXIT } from "./exit_codes.ts";
import { processTerminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs mpctl. @returns what to exit with */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "version" || args[0] === "--version")) {
    // Scripts ask this often; it needs nothing of the tree of commands, nor a stream for output.
    console.log(`mpctl ${VERSION}`);
    return EXIT.OK;
  }
  let exitCode: number = EXIT.OK;
  try {
    const { createProgram } = await import("./program.ts");
    const exit = (code: number) => {
      exitCode = code;
    };
    const program = await createProgram({ terminal: processTerminal, exit }, args);
    neverExits(program);
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed the problem, or the help that was asked for.
    if (isCommanderError(error)) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
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

function isCommanderError(error: unknown): error is { readonly exitCode: number } {
  return error instanceof Error && "code" in error && "exitCode" in error &&
    String(error.code).startsWith("commander.");
}

/** The server as the person gave it, for messages. */
function serverOf(args: readonly string[]): string {
  const at = args.indexOf("--server");
  const flag = args.find((arg) => arg.startsWith("--server="))?.slice("--server=".length);
  return flag ?? (at >= 0 ? args[at + 1] : undefined) ?? configuredServer();
}

// In Deno the first touch of 'process' costs as much as an empty program.
const exitCode = await main("Deno" in globalThis ? Deno.args : process.argv.slice(2));
if (exitCode !== EXIT.OK) process.exitCode = exitCode;
