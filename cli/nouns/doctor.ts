import { command, type Runner, runWith } from "./shared.ts";

/** `mpctl doctor` */
export function doctorCommand(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair a break", [
    "mpctl doctor",
  ])
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("../commands/doctor.ts");
        return await run(context);
      })
    );
}
