import {
  DiagnoseResponseSchema,
  DiagnosticsService,
  type Finding,
  type ForeignObjects,
  type Leftover,
  SweepObjectsResponseSchema,
} from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { command, DRY_RUN, type Runner, runWith } from "./command.ts";

/** `mpctl doctor` */
export function doctorCommand(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair violations", [
    "mpctl doctor",
    "mpctl doctor --sweep --dry-run  # list the objects without a record",
    "mpctl doctor --sweep  # remove them after a question; without a terminal add --yes",
  ])
    .option("--sweep", "remove objects without a record from the clusters")
    .option("-y, --yes", "do not ask before --sweep removes what it has listed")
    .addOption(DRY_RUN)
    .action((flags) =>
      runWith(runner, flags, (context) => {
        if (flags.sweep) return sweep(context, flags);
        const extra = flags.yes ? "--yes" : flags.dryRun ? "--dry-run" : undefined;
        if (extra) throw usageError(`Cannot use ${extra} without --sweep`);
        return diagnose(context);
      })
    );
}

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

async function sweep(
  context: CommandContext,
  { yes = false, dryRun = false }: { readonly yes?: boolean; readonly dryRun?: boolean },
): Promise<number> {
  const { terminal, host, config } = context;
  return await withClient(context, DiagnosticsService, async (client) => {
    const listed = await client.sweepObjects({ validateOnly: true });
    const { leftovers, findings } = listed;
    const exitCode = findings.length > 0 ? EXIT.ERROR : EXIT.OK;
    const forPeople = isForPeople(config.output);
    if (dryRun || leftovers.length === 0) {
      if (!forPeople) await printMessage(context, SweepObjectsResponseSchema, listed);
      else {
        printLeftovers(context, leftovers);
        if (leftovers.length === 0) terminal.err("There is nothing to sweep\n");
        printFindings(context, findings);
      }
      return exitCode;
    }
    if (!yes) {
      printLeftovers(context, leftovers);
      const count = leftovers.reduce((sum, { objects }) => sum + objects.length, 0);
      if (!terminal.interactive) {
        throw usageError(
          `Cannot sweep ${count} objects without a question: there is no terminal`,
          "Add --yes to remove them, or --dry-run to list them",
        );
      }
      const answer = await host.ask(`Remove these ${count} objects from the clusters? [y/N] `);
      if (!/^y(es)?$/i.test(answer.trim())) {
        terminal.err("Nothing was removed\n");
        return EXIT.CANCELLED;
      }
    }
    const swept = await client.sweepObjects({ leftovers });
    if (!forPeople) {
      await printMessage(context, SweepObjectsResponseSchema, swept);
      return exitCode;
    }
    for (const { target } of swept.leftovers) {
      terminal.out(`the objects of ${target} will be removed within a minute\n`);
    }
    for (const { target, targetUid } of leftovers) {
      if (!swept.skippedUids.includes(targetUid)) continue;
      terminal.out(`the objects of ${target} are gone, or have changed and are left alone\n`);
    }
    printFindings(context, findings);
    return exitCode;
  });
}

function printLeftovers({ terminal }: CommandContext, leftovers: readonly Leftover[]): void {
  for (const { target, cluster, objects } of leftovers) {
    terminal.out(`${target} on cluster '${cluster}':\n`);
    for (const object of objects) terminal.out(`  - ${object}\n`);
  }
}

function printFindings({ terminal }: CommandContext, findings: readonly Finding[]): void {
  for (const { invariant, subject, message, remedy } of findings) {
    terminal.out(`✗ ${invariant} ${subject}\n    ${message}\n    repair: ${remedy}\n`);
  }
}

/** Objects of another control plane, for people. */
function inWords({ cluster, installation, objects }: ForeignObjects): string {
  const owner = installation === "" ? "an unknown installation" : `installation ${installation}`;
  return `${objects} objects on cluster '${cluster}' belong to ${owner} and are left alone`;
}
