import { command, listCommand, noun, type Runner, runWith } from "./command.ts";

/** `mpctl sink …` */
export function sinkCommands(runner: Runner) {
  const list = listCommand("list", "List sinks, and how far they have received events", [
    "mpctl sink list",
    "mpctl sink list --filter 'state = RETRYING'",
  ])
    .alias("ls")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listSinks } = await import("../commands/sinks.ts");
        return await listSinks(context, flags);
      })
    );
  const letters = listCommand("dead-letters", "List the events that a sink did not take", [
    "mpctl sink dead-letters chat",
    "mpctl sink dead-letters chat --filter 'status = 400' -o json",
  ])
    .argument("<sink>")
    .action((sink, flags) =>
      runWith(runner, flags, async (context) => {
        const { listDeadLetters } = await import("../commands/sinks.ts");
        return await listDeadLetters(context, sink, flags);
      })
    );
  const resend = command("resend", "Send dead letters of a sink again: those named, or all", [
    "mpctl sink resend chat",
    "mpctl sink resend chat 0000000000000042",
  ])
    .argument("<sink>")
    .argument("[dead-letters...]")
    .action((sink, deadLetters, flags) =>
      runWith(runner, flags, async (context) => {
        const { resend } = await import("../commands/sinks.ts");
        return await resend(context, sink, deadLetters);
      })
    );
  return noun("sink", "", "Event sinks: receivers of events, and what they did not take")
    .addCommand(list)
    .addCommand(letters)
    .addCommand(resend);
}
