import { command, type Runner, runWith } from "./shared.ts";

/** `mpctl doctor` */
export function doctorCommand(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair a break", [
    "mpctl doctor",
    "mpctl doctor --sweep  # have objects that no record knows removed",
  ])
    .option("--sweep", "have objects that no record knows removed from the cluster")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("../commands/doctor.ts");
        return await run(context, flags);
      })
    );
}
