import { duration } from "../flags/parse_flag.ts";
import { command, type Runner, runWith } from "./command.ts";

/** `mpctl top` */
export function topCommand(runner: Runner) {
  return command("top", "Show live what runs, what waits and why, and the calls by method", [
    "mpctl top",
    "mpctl top --interval 5s",
    "mpctl top --once  # the figures since the server began",
    "mpctl top -o json  # the counters, for programs",
  ])
    .option("--interval <duration>", "how often to read the figures; default: 2s", duration)
    .option("--once", "print one page and stop; the default without a terminal")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { top } = await import("../commands/top.ts");
        return await top(context, flags);
      })
    );
}
