import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { CliConfig } from "./config/read_config.ts";
import { EXIT } from "./errors/cli_error.ts";
import { BrokenPipe, host } from "./host/mod.ts";
import { processTerminal } from "./host/terminal.ts";
import type { Runner } from "./nouns/command.ts";
import { VERSION } from "./version.ts";

/** Runs mpctl. @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "version" || args[0] === "--version")) {
    // Scripts run this often, and it does not need the command tree.
    processTerminal.out(`mpctl ${VERSION}\n`);
    return EXIT.OK;
  }
  if (args[0] === "complete" && args[1] === "--") {
    const { complete } = await import("./completion/complete.ts");
    processTerminal.out(await complete(args.slice(2), { terminal: processTerminal, host }));
    return EXIT.OK;
  }
  let exitCode: number = EXIT.OK;
  let config: CliConfig | undefined;
  let command = "mpctl";
  const runner: Runner = {
    terminal: processTerminal,
    host,
    configured: (read) => config = read,
    command: () => command,
    chosen: (words) => command = words,
    exit: (code) => exitCode = code,
  };
  try {
    const { createProgram } = await import("./program.ts");
    const program = await createProgram(runner, args);
    throwOnExit(program);
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // The reader of our output closed the pipe.
    if (error instanceof BrokenPipe) return EXIT.OK;
    // Commander has printed the problem, or the help.
    if (isCommanderError(error)) {
      if (error.code === "commander.unknownCommand") {
        const { suggestNounFirst } = await import("./program.ts");
        const suggestion = await suggestNounFirst(runner, args);
        if (suggestion) processTerminal.err(`${suggestion}\n`);
      }
      return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    }
    const { renderError, suggestName } = await import("./errors/render_error.ts");
    const { text, exitCode } = renderError(error, config);
    processTerminal.err(text);
    if (config && exitCode === EXIT.NOT_FOUND) {
      const suggestion = await suggestName(error, config);
      if (suggestion) processTerminal.err(`${suggestion}\n`);
    }
    return exitCode;
  }
}

/** Makes Commander throw instead of exiting, and print errors as mpctl does, in every command. */
function throwOnExit(command: CommandUnknownOpts, path = command.name()): void {
  command.exitOverride().showSuggestionAfterError()
    .showHelpAfterError(`See '${path} --help'`)
    .configureOutput({ outputError: (text, write) => write(usageText(text)) });
  for (const child of command.commands) throwOnExit(child, `${path} ${child.name()}`);
}

const usageText = (text: string): string =>
  text.replace(/^error/, "Error").replace(/\((Did you mean .*\?)\)/, "$1");

function isCommanderError(
  error: unknown,
): error is { readonly code: string; readonly exitCode: number } {
  return error instanceof Error && "code" in error && "exitCode" in error &&
    String(error.code).startsWith("commander.");
}

host.exit(await main(host.args));
