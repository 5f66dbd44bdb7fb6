import { DiagnoseResponseSchema, DiagnosticsService, type Finding } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";

/** `mpctl doctor` */
export async function run(
  context: CommandContext,
  flags: { readonly sweep?: true | undefined },
): Promise<number> {
  const { terminal, config } = context;
  if (flags.sweep) return await sweep(context);
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
    context.terminal.out(`what is left of ${target} is removed within a minute\n`);
  }
  printFindings(context, findings);
  return findings.length > 0 ? EXIT.ERROR : EXIT.OK;
}

function printFindings({ terminal }: CommandContext, findings: readonly Finding[]): void {
  for (const { invariant, subject, message, remedy } of findings) {
    terminal.out(`✗ ${invariant} ${subject}\n    ${message}\n    repair: ${remedy}\n`);
  }
}
