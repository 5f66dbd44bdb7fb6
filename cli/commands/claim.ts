import { DiagnosticsService } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { OPERATION_VIEW, printOne } from "../output/print.ts";
import { finishMutation, mutationFields } from "./finish_mutation.ts";
import type { SweepFlags } from "./sweep.ts";

/** Asks, and claims a cluster for the database of the server. */
export async function claim(
  context: CommandContext,
  cluster: string,
  flags: SweepFlags,
): Promise<number> {
  const { terminal, host, config } = context;
  if (!flags.yes && !flags.dryRun) {
    if (!terminal.interactive) {
      throw usageError(
        `Cannot claim cluster '${cluster}' without a question: there is no terminal`,
        "Add --yes when no other copy of the database is running, or --dry-run to see the plan",
      );
    }
    terminal.out(
      `Another copy of this database may work on cluster '${cluster}'; it will change nothing there ` +
        "any more, and what only it knows becomes objects without a record.\n",
    );
    const answer = await host.ask(`Claim cluster '${cluster}' for this database? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) {
      terminal.err("Nothing was claimed\n");
      return EXIT.CANCELLED;
    }
  }
  return await withConnection(context, async (connection) => {
    const { requestId, validateOnly } = mutationFields(flags);
    const client = connection.client(DiagnosticsService);
    const operation = await client.claimCluster({ cluster, requestId, validateOnly });
    const exitCode = await finishMutation(context, connection, operation, flags);
    if (exitCode !== EXIT.OK || operation.plan || flags.wait === false) return exitCode;
    if (isForPeople(config.output)) terminal.out(`cluster '${cluster}' is claimed\n`);
    else await printOne(context, OPERATION_VIEW, operation);
    return exitCode;
  });
}
