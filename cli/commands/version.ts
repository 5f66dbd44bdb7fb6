import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { VERSION } from "../version.ts";

/** `mpctl version` */
export async function run(
  context: CommandContext,
  flags: { readonly server?: true | undefined },
): Promise<number> {
  context.terminal.out(`mpctl ${VERSION}\n`);
  if (!flags.server) return EXIT.OK;
  const { DiagnosticsService } = await import("@mpc/proto");
  const { withClient } = await import("../client.ts");
  const info = await withClient(
    context,
    DiagnosticsService,
    (client) => client.getServerInfo({}),
  );
  const { version, engine, storage, provider } = info;
  context.terminal.out(`server ${version} (${engine}, ${storage}, ${provider})\n`);
  return EXIT.OK;
}
