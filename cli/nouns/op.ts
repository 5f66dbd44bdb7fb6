import { duration } from "../flags/parse_flag.ts";
import {
  changeCommand,
  command,
  DRY_RUN,
  FORCE_CONFLICTS,
  listCommand,
  NO_WAIT,
  noun,
  type Runner,
  runWith,
  WATCH,
  WATCH_TIMEOUT,
} from "./command.ts";

const ID = "an id, or at least four characters of its beginning or end";

/** `mpctl op …` */
export function opCommands(runner: Runner) {
  return noun("op", "operation", "Operations: durable changes, running and past")
    .addCommand(list(runner))
    .addCommand(get(runner))
    .addCommand(watch(runner))
    .addCommand(cancel(runner))
    .addCommand(retry(runner))
    .addCommand(explain(runner));
}

function list(runner: Runner) {
  return listCommand("list", "List operations, newest first", [
    "mpctl op list",
    "mpctl op list --filter 'state = FAILED' --limit 5",
    "mpctl op list --filter 'done = false AND target = \"environments/dev*\"'",
  ])
    .alias("ls")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listOperations } = await import("../commands/list.ts");
        return await listOperations(context, flags);
      })
    );
}

function get(runner: Runner) {
  return command("get", "Show one operation and its steps", [
    "mpctl op get 0198c2d4",
    "mpctl op get 0198c2d4 --watch  # the same as 'mpctl op watch'",
  ])
    .argument("<operation>", ID)
    .option(...WATCH)
    .option(...WATCH_TIMEOUT)
    .action((operation, flags) =>
      runWith(runner, flags, async (context) => {
        const { assertWatch } = await import("../commands/get.ts");
        const { getOperation, watchOperation } = await import("../commands/operations.ts");
        assertWatch(flags);
        if (flags.watch) return await watchOperation(context, operation, flags);
        return await getOperation(context, operation);
      })
    );
}

function watch(runner: Runner) {
  return command("watch", "Follow an operation until it has ended", [
    "mpctl op watch 0198c2d4",
    "mpctl op watch 0198c2d4 -o jsonl  # one line for each change",
  ])
    .argument("<operation>", ID)
    .option("--timeout <duration>", "stop following", duration)
    .action((operation, flags) =>
      runWith(runner, flags, async (context) => {
        const { watchOperation } = await import("../commands/operations.ts");
        return await watchOperation(context, operation, flags);
      })
    );
}

function cancel(runner: Runner) {
  return command("cancel", "Stop an operation and undo its steps", [
    "mpctl op cancel 0198c2d4 --reason 'wrong image'",
    "mpctl op cancel 0198c2d4 --dry-run  # what would be undone, and what would stay",
  ])
    .argument("<operation>", ID)
    .option("--reason <text>", "why")
    .addOption(DRY_RUN)
    .addOption(NO_WAIT)
    .option("--timeout <duration>", "stop waiting", duration)
    .action((operation, flags) =>
      runWith(runner, flags, async (context) => {
        const { cancelOperation } = await import("../commands/operations.ts");
        return await cancelOperation(context, operation, flags);
      })
    );
}

function retry(runner: Runner) {
  return changeCommand(
    "retry",
    "Retry a failed operation, from the step that failed",
    [
      "mpctl op retry 0198c2d4",
      "mpctl op retry 0198c2d4 --dry-run",
      "mpctl op retry 0198c2d4 --force-conflicts  # a way out of FIELD_CONFLICT",
    ],
  )
    .argument("<operation>", ID)
    .option(...FORCE_CONFLICTS)
    .action((operation, flags) =>
      runWith(runner, flags, async (context) => {
        const { retryOperation } = await import("../commands/operations.ts");
        return await retryOperation(context, operation, flags);
      })
    );
}

function explain(runner: Runner) {
  return command("explain", "Explain an operation's state, who must act, and what to do", [
    "mpctl op explain 0198c2d4",
    "mpctl op explain 0198c2d4 -o json",
  ])
    .argument("<operation>", ID)
    .action((operation, flags) =>
      runWith(runner, flags, async (context) => {
        const { explainOperation } = await import("../commands/operations.ts");
        return await explainOperation(context, operation);
      })
    );
}
