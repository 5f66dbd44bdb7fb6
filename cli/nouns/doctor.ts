import { DiagnoseResponseSchema, DiagnosticsService, type ForeignObjects } from "@mpc/proto";
import { claim } from "../commands/claim.ts";
import { sweep, type SweepFlags } from "../commands/sweep.ts";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { printFindings } from "../output/findings.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { duration, nonEmpty } from "../flags/parse_flag.ts";
import { command, DRY_RUN, NO_WAIT, type Runner, runWith } from "./command.ts";

/** `mpctl doctor` */
export function doctorCommand(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair violations", [
    "mpctl doctor",
    "mpctl doctor --sweep --dry-run  # list the objects without a record",
    "mpctl doctor --claim default  # after another copy of the database was stopped",
    "mpctl doctor --sweep  # remove them after a question; without a terminal add --yes",
  ])
    .option("--sweep", "remove objects without a record from the clusters")
    .option(
      "--claim <cluster>",
      "claim a cluster that another copy of the database has claimed",
      nonEmpty,
    )
    .option("-y, --yes", "do not ask before --sweep removes what it has listed, or before --claim")
    .addOption(DRY_RUN)
    .addOption(NO_WAIT)
    .option("--timeout <duration>", "stop waiting; the operation continues", duration)
    .action((flags) =>
      runWith(runner, flags, (context) => {
        if (flags.sweep && flags.claim !== undefined) {
          throw usageError("Cannot use --sweep and --claim together");
        }
        if (flags.sweep) return sweep(context, flags);
        if (flags.claim !== undefined) return claim(context, flags.claim, flags);
        const extra = SWEEP_FLAGS.find(([, isGiven]) => isGiven(flags))?.[0];
        if (extra) throw usageError(`Cannot use ${extra} without --sweep or --claim`);
        return diagnose(context);
      })
    );
}

/** The flags that only belong to a sweep or a claim. */
const SWEEP_FLAGS: readonly (readonly [string, (flags: SweepFlags) => boolean])[] = [
  ["--yes", ({ yes }) => yes === true],
  ["--dry-run", ({ dryRun }) => dryRun === true],
  ["--no-wait", ({ wait }) => wait === false],
  ["--timeout", ({ timeout }) => timeout !== undefined],
];

async function diagnose(context: CommandContext): Promise<number> {
  const { terminal, config } = context;
  const answer = await withClient(
    context,
    DiagnosticsService,
    (client) => client.diagnose({}),
  );
  const exitCode = answer.findings.length > 0 ? EXIT.ERROR : EXIT.OK;
  if (!isForPeople(config.output)) {
    await printMessage(context, DiagnoseResponseSchema, answer);
    return exitCode;
  }
  printFindings(context, answer.findings);
  if (answer.findings.length === 0) {
    for (const check of answer.checks) terminal.out(`✓ ${check}\n`);
  }
  for (const foreign of answer.foreignObjects) terminal.out(`• ${inWords(foreign)}\n`);
  return exitCode;
}

/** Objects of another control plane, for people. */
function inWords({ cluster, installation, objects }: ForeignObjects): string {
  const owner = installation === "" ? "an unknown installation" : `installation ${installation}`;
  return `${objects} objects on cluster '${cluster}' belong to ${owner} and are left alone`;
}
