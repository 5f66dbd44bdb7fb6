import {
  DiagnoseResponseSchema,
  DiagnosticsService,
  type Finding,
  type ForeignObjects,
} from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { command, type Runner, runWith } from "./command.ts";

/** `mpctl doctor` */
export function doctorCommand(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair violations", [
    "mpctl doctor",
    "mpctl doctor --sweep  # remove objects without a record",
  ])
    .option("--sweep", "remove objects without a record from the clusters")
    .action((flags) =>
      runWith(runner, flags, (context) => flags.sweep ? sweep(context) : diagnose(context))
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

async function sweep(context: CommandContext): Promise<number> {
  const { targets, findings } = await withClient(
    context,
    DiagnosticsService,
    (client) => client.sweepObjects({}),
  );
  if (targets.length === 0 && findings.length === 0) {
    context.terminal.err("There is nothing to sweep\n");
  }
  for (const target of targets) {
    context.terminal.out(`the objects of ${target} will be removed within a minute\n`);
  }
  printFindings(context, findings);
  return findings.length > 0 ? EXIT.ERROR : EXIT.OK;
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
