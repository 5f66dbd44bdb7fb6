import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { EXIT } from "./exit_codes.ts";
import { BrokenPipe, host } from "./host/mod.ts";
import { processTerminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs mpctl. @returns what to exit with */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "version" || args[0] === "--version")) {
    // Scripts ask this often; it needs nothing of the tree of commands.
    processTerminal.out(`mpctl ${VERSION}\n`);
    return EXIT.OK;
  }
  let exitCode: number = EXIT.OK;
  let server = "";
  try {
    const { createProgram } = await import("./program.ts");
    const program = await createProgram({
      terminal: processTerminal,
      host,
      configured: ({ server: { href } }) => server = href.replace(/\/$/, ""),
      exit: (code) => exitCode = code,
    }, args);
    neverExits(program);
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Whoever read our output has read enough.
    if (error instanceof BrokenPipe) return EXIT.OK;
    // Commander has printed the problem, or the help that was asked for.
    if (isCommanderError(error)) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    const { renderError } = await import("./render_error.ts");
    const { text, exitCode } = renderError(error, server);
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

const exitCode = await main(host.args);
if (exitCode !== EXIT.OK) host.setExitCode(exitCode);
