import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { CliConfig } from "./config.ts";
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
  if (args[0] === "complete" && args[1] === "--") {
    const { complete } = await import("./completion/complete.ts");
    processTerminal.out(await complete(args.slice(2), { terminal: processTerminal, host }));
    return EXIT.OK;
  }
  let exitCode: number = EXIT.OK;
  let config: CliConfig | undefined;
  try {
    const { createProgram } = await import("./program.ts");
    const program = await createProgram({
      terminal: processTerminal,
      host,
      configured: (read) => config = read,
      exit: (code) => exitCode = code,
    }, args);
    neverExits(program);
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Whoever read our output has read enough.
    if (error instanceof BrokenPipe) return EXIT.OK;
    // Commander has printed the problem, or the help that was asked for.
    if (isCommanderError(error)) {
      if (error.code === "commander.unknownCommand") {
        const { nounFirst } = await import("./noun_first.ts");
        const suggestion = await nounFirst(args);
        if (suggestion) processTerminal.err(`${suggestion}\n`);
      }
      return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    }
    const { renderError } = await import("./render_error.ts");
    const { text, exitCode } = renderError(error, config?.server.href ?? "");
    processTerminal.err(text);
    if (config && exitCode === EXIT.NOT_FOUND) {
      const { suggestName } = await import("./suggest_name.ts");
      const suggestion = await suggestName(error, config);
      if (suggestion) processTerminal.err(`${suggestion}\n`);
    }
    return exitCode;
  }
}

/** Commander throws where it would exit, and says what is wrong as mpctl does, in every command. */
function neverExits(command: CommandUnknownOpts, path = command.name()): void {
  command.exitOverride().showSuggestionAfterError()
    .showHelpAfterError(`See '${path} --help'`)
    .configureOutput({ outputError: (text, write) => write(usageText(text)) });
  for (const child of command.commands) neverExits(child, `${path} ${child.name()}`);
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
