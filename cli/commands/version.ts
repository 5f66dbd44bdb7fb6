import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { isForPeople } from "../output/format.ts";
import { VERSION } from "../version.ts";

/** `mpctl version` */
export async function run(
  context: CommandContext,
  flags: { readonly server?: true | undefined },
): Promise<number> {
  const { terminal, config } = context;
  const forPeople = isForPeople(config.output);
  if (forPeople) terminal.out(`mpctl ${VERSION}\n`);
  const server = flags.server && await serverInfo(context);
  if (!forPeople) {
    const { machineText } = await import("../output/machine_text.ts");
    const versions = { mpctl: { version: VERSION }, ...(server && { server }) };
    terminal.out(await machineText(config.output, versions));
  } else if (server) {
    const { version, engine, storage, provider } = server;
    terminal.out(`server ${version} (${engine}, ${storage}, ${provider})\n`);
  }
  return EXIT.OK;
}

async function serverInfo(context: CommandContext) {
  const { DiagnosticsService } = await import("@mpc/proto");
  const { withClient } = await import("../client.ts");
  const { version, engine, storage, provider } = await withClient(
    context,
    DiagnosticsService,
    (client) => client.getServerInfo({}),
  );
  return { version, engine, storage, provider };
}
