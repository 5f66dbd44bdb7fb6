import { duration, nonEmpty } from "../flags/parse_flag.ts";
import { command, listCommand, noun, type Runner, runWith } from "./command.ts";

/** `mpctl audit …` */
export function auditCommands(runner: Runner) {
  return noun("audit", "", "Audit: who asked for what, and what came of it")
    .addCommand(list(runner), { isDefault: true })
    .addCommand(verify(runner));
}

function list(runner: Runner) {
  return listCommand("list", "List audit records, newest first; 'mpctl audit' is the same", [
    "mpctl audit --since 2h --actor user:ann@example.com",
    "mpctl audit --result PERMISSION_DENIED --since 7d -o json",
    "mpctl audit list --method DeployWorkload --target 'environments/dev*'",
    "mpctl audit --follow -o jsonl  # each new record, until ctrl-C",
  ])
    .alias("ls")
    .option("--since <duration>", "only records of this time until now, such as 2h", duration)
    .option("--actor <principal>", "only calls of this principal; * stands for any text", nonEmpty)
    .option("--method <method>", "only calls of this method, such as DeployWorkload", nonEmpty)
    .option("--target <name>", "only calls about this resource; * stands for any text", nonEmpty)
    .option("--result <code>", "only calls that ended so: OK or a code", nonEmpty)
    .option("-f, --follow", "print new records as they are made; with --since also earlier ones")
    .option("--timeout <duration>", "stop following", duration)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listAudit } = await import("../commands/audit.ts");
        return await listAudit(context, flags);
      })
    );
}

function verify(runner: Runner) {
  return command("verify", "Check that no audit record is missing or changed", [
    "mpctl audit verify",
    'mpctl audit verify --expect "$(cat last-verified)"  # SEQUENCE:HASH of an earlier one',
  ])
    .option("--expect <head>", "the end of an earlier verification, as it printed it", nonEmpty)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { verifyAudit } = await import("../commands/audit.ts");
        return await verifyAudit(context, flags);
      })
    );
}
