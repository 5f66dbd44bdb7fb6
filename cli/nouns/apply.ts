import { usageError } from "../errors/cli_error.ts";
import { duration, texts } from "../flags/parse_flag.ts";
import { command, DRY_RUN, FORCE_CONFLICTS, NO_WAIT, type Runner, runWith } from "./command.ts";

const FILES = [
  "-f, --file <path>",
  "a file, a folder or - for standard input, repeatable",
  texts,
] as const;

/** `mpctl apply` */
export function applyCommand(runner: Runner) {
  return command(
    "apply",
    "Create or update environments and workloads from files, environments first",
    [
      "mpctl apply -f platform.yaml",
      "mpctl apply -f platform/ --dry-run",
      "mpctl env get dev -o yaml | mpctl apply -f -",
      "mpctl apply -f platform/ --prune -l team=web  # deletes what no file contains",
      "mpctl apply plan.json  # the saved plan, unless it is outdated",
    ],
  )
    .argument("[plan]", "a file of 'mpctl plan --out', in place of -f")
    .option(...FILES)
    .addOption(DRY_RUN)
    .option("--prune", "delete resources that -l selects and no file contains")
    .option("-l, --selector <labels>", "what --prune may delete, such as team=web")
    .option("-y, --yes", "do not ask on a terminal before --prune deletes")
    .option(...FORCE_CONFLICTS)
    .addOption(NO_WAIT)
    .option("--timeout <duration>", "stop waiting for each; the operations continue", duration)
    .action((plan, flags) =>
      runWith(runner, flags, async (context) => {
        const { apply } = await import("../commands/apply.ts");
        assertSource(plan, flags);
        return await apply(context, flags, plan);
      })
    );
}

/** `mpctl plan` */
export function planCommand(runner: Runner) {
  return command("plan", "Show what apply would do: objects, quota and steps of each change", [
    "mpctl plan -f platform.yaml",
    "mpctl plan -f platform/ --prune -l team=web",
    "mpctl plan -f platform/ --out plan.json && mpctl apply plan.json",
  ])
    .requiredOption(...FILES)
    .option("--out <path>", "save the plan for 'mpctl apply', which then executes exactly this")
    .option("--prune", "also show what would be deleted")
    .option("-l, --selector <labels>", "what --prune may delete, such as team=web")
    .option(...FORCE_CONFLICTS)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { apply } = await import("../commands/apply.ts");
        return await apply(context, { ...flags, dryRun: true });
      })
    );
}

/** `mpctl diff` */
export function diffCommand(runner: Runner) {
  return command("diff", "Show where the platform differs from files; exits with 8 if it does", [
    "mpctl diff -f platform.yaml",
    "mpctl diff -f platform/ -o json",
  ])
    .requiredOption(...FILES)
    .option(...FORCE_CONFLICTS)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { diff } = await import("../commands/apply.ts");
        return await diff(context, flags);
      })
    );
}

/** @throws {CliError} usage */
function assertSource(
  plan: string | undefined,
  flags: {
    readonly file?: readonly string[] | undefined;
    readonly prune?: boolean | undefined;
    readonly selector?: string | undefined;
  },
): void {
  if (plan === undefined) {
    if (!flags.file) throw usageError("Cannot apply without a file: add -f FILE, or name a plan");
    return;
  }
  const extra = Object.entries({ "-f": flags.file, "--prune": flags.prune, "-l": flags.selector })
    .find(([, value]) => value !== undefined);
  if (extra) throw usageError(`Cannot use ${extra[0]} with a plan: the plan says it`);
}
