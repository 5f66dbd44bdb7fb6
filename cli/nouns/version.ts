import { command, type Runner, runWith } from "./shared.ts";

/** `mpctl version` */
export function versionCommand(runner: Runner) {
  return command("version", "Show the version", [
    "mpctl version",
    "mpctl version --all",
    "mpctl version --all -o json",
  ])
    .option("--all", "the server's too")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("../commands/version.ts");
        return await run(context, { server: flags.all });
      })
    );
}
