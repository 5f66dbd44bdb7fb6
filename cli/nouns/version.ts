import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { isForPeople, machineText } from "../output/format.ts";
import { VERSION } from "../version.ts";
import { command, type Runner, runWith } from "./command.ts";

/** `mpctl version` */
export function versionCommand(runner: Runner) {
  return command("version", "Show the version", [
    "mpctl version",
    "mpctl version --all",
    "mpctl version --all -o json",
  ])
    .option("--all", "also show the server's version")
    .action((flags) =>
      runWith(runner, flags, (context) => printVersion(context, flags.all ?? false))
    );
}

async function printVersion(context: CommandContext, withServer: boolean): Promise<number> {
  const { terminal, config } = context;
  const forPeople = isForPeople(config.output);
  if (forPeople) terminal.out(`mpctl ${VERSION}\n`);
  const server = withServer ? await serverInfo(context) : undefined;
  if (!forPeople) {
    const versions = { mpctl: { version: VERSION }, ...(server && { server }) };
    terminal.out(await machineText(config.output, versions));
  } else if (server) {
    const { version, engine, storage, provider, installation } = server;
    terminal.out(`server ${version} (${engine}, ${storage}, ${provider})\n`);
    terminal.out(`installation ${installation}\n`);
  }
  return EXIT.OK;
}

/** Loads the client only here: without `--all` there are no calls. */
async function serverInfo(context: CommandContext) {
  const { DiagnosticsService } = await import("@mpc/proto");
  const { withClient } = await import("../context.ts");
  const { version, engine, storage, provider, installation } = await withClient(
    context,
    DiagnosticsService,
    (client) => client.getServerInfo({}),
  );
  return { version, engine, storage, provider, installation };
}
