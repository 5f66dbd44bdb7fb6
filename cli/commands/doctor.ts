import { toJson } from "@bufbuild/protobuf";
import { DiagnoseResponseSchema, DiagnosticsService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";

/** `mpctl doctor` */
export async function run(context: CommandContext): Promise<number> {
  const { terminal, config } = context;
  const answer = await withClient(
    context,
    DiagnosticsService,
    (client) => client.diagnose({}),
  );
  const exitCode = answer.findings.length > 0 ? EXIT.ERROR : EXIT.OK;
  if (config.output === "json") {
    terminal.out(`${JSON.stringify(toJson(DiagnoseResponseSchema, answer), null, 2)}\n`);
    return exitCode;
  }
  for (const { invariant, subject, message, remedy } of answer.findings) {
    terminal.out(`✗ ${invariant} ${subject}\n    ${message}\n    repair: ${remedy}\n`);
  }
  if (answer.findings.length === 0) {
    for (const check of answer.checks) terminal.out(`✓ ${check}\n`);
  }
  return exitCode;
}
