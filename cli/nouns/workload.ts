import { Option } from "@commander-js/extra-typings";
import { count, duration, integer, nonEmpty } from "../flags/parse_flag.ts";
import {
  ABANDON,
  changeCommand,
  command,
  ENV,
  ETAG,
  FORCE_CONFLICTS,
  listCommand,
  noun,
  type Runner,
  runWith,
  SELECTOR,
  WATCH,
  WATCH_TIMEOUT,
} from "./command.ts";
import { deployCommand } from "./workload_deploy.ts";

/** `mpctl workload …` */
export function workloadCommands(runner: Runner) {
  return noun("workload", "wl", "Workloads: programs inside environments")
    .addCommand(deployCommand(runner))
    .addCommand(list(runner))
    .addCommand(get(runner))
    .addCommand(scale(runner))
    .addCommand(restart(runner))
    .addCommand(rollback(runner))
    .addCommand(reconcile(runner))
    .addCommand(history(runner))
    .addCommand(diff(runner))
    .addCommand(pods(runner))
    .addCommand(events(runner))
    .addCommand(logs(runner))
    .addCommand(remove(runner));
}

function list(runner: Runner) {
  return listCommand("list", "List workloads", [
    "mpctl workload list --env dev",
    "mpctl workload list --filter 'image = \"nginx:*\"'",
    "mpctl workload list -A --filter 'labels.\"app.kubernetes.io/name\":* AND active_revision:*'",
  ])
    .alias("ls")
    .option(...SELECTOR)
    .option("--env <environment>", "only workloads in this environment", nonEmpty)
    .addOption(
      new Option("-A, --all-envs", "workloads of all environments, whatever the profile says")
        .conflicts("env"),
    )
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listWorkloads } = await import("../commands/list.ts");
        return await listWorkloads(context, flags);
      })
    );
}

function get(runner: Runner) {
  return command("get", "Show one workload", [
    "mpctl workload get web --env dev -o yaml",
    "mpctl workload get web --env dev --watch  # also prints each change",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option(...WATCH)
    .option(...WATCH_TIMEOUT)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { getWorkload } = await import("../commands/get.ts");
        return await getWorkload(context, workload, flags);
      })
    );
}

function scale(runner: Runner) {
  return changeCommand("scale", "Change the number of copies", [
    "mpctl workload scale web --env dev --replicas 5",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option(...ETAG)
    .requiredOption("--replicas <n>", "number of copies", integer)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { scaleWorkload } = await import("../commands/change_workload.ts");
        return await scaleWorkload(context, workload, flags);
      })
    );
}

function restart(runner: Runner) {
  return changeCommand("restart", "Replace every copy", ["mpctl workload restart web --env dev"])
    .argument("<workload>")
    .option(...ENV)
    .option(...ETAG)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { restartWorkload } = await import("../commands/change_workload.ts");
        return await restartWorkload(context, workload, flags);
      })
    );
}

function rollback(runner: Runner) {
  return changeCommand("rollback", "Deploy an earlier revision again, with as many copies as now", [
    "mpctl workload rollback web --env dev  # to the last one with another spec",
    "mpctl workload rollback web --env dev --to 3",
    "mpctl workload rollback web --env dev --to 3 --replicas 2",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option(...ETAG)
    .option(
      "--to <revision>",
      "number of the revision; default: the last one with another spec",
      count,
    )
    .option("--replicas <n>", "number of copies; default: as many as now", integer)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { rollbackWorkload } = await import("../commands/change_workload.ts");
        return await rollbackWorkload(context, workload, flags);
      })
    );
}

function reconcile(runner: Runner) {
  return changeCommand("reconcile", "Revert changes that others have made on the cluster", [
    "mpctl workload reconcile web --env dev --dry-run  # shows what has drifted",
    "mpctl workload reconcile web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option(...ETAG)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { reconcileWorkload } = await import("../commands/change_workload.ts");
        return await reconcileWorkload(context, workload, flags);
      })
    );
}

function history(runner: Runner) {
  return command("history", "List the revisions of a workload", [
    "mpctl workload history web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listRevisions } = await import("../commands/revisions.ts");
        return await listRevisions(context, workload);
      })
    );
}

function diff(runner: Runner) {
  return command("diff", "Compare two revisions; exits with 8 if they differ", [
    "mpctl workload diff web 2 3 --env dev",
  ])
    .argument("<workload>")
    .argument("<a>", "a revision", count)
    .argument("<b>", "another revision", count)
    .option(...ENV)
    .action((workload, a, b, flags) =>
      runWith(runner, flags, async (context) => {
        const { compareRevisions } = await import("../commands/revisions.ts");
        return await compareRevisions(context, workload, [a, b]);
      })
    );
}

function pods(runner: Runner) {
  return clusterListCommand("pods", "List the copies of workloads as they are on the cluster", [
    "mpctl workload pods web --env dev",
    "mpctl workload pods --env dev  # of all its workloads",
    "mpctl workload pods -A",
  ])
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listPods } = await import("../commands/list.ts");
        return await listPods(context, workload, flags);
      })
    );
}

function events(runner: Runner) {
  return clusterListCommand(
    "events",
    "List what the cluster noticed about workloads, of each the latest last",
    ["mpctl workload events web --env dev", "mpctl workload events -A"],
  )
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listClusterEvents } = await import("../commands/list.ts");
        return await listClusterEvents(context, workload, flags);
      })
    );
}

/** A command that lists what clusters have of one workload, or of all. */
function clusterListCommand(name: string, description: string, examples: readonly string[]) {
  return command(name, description, examples)
    .argument("[workload]", "all where not given")
    .option(...ENV)
    .addOption(
      new Option("-A, --all-envs", "those of all environments, whatever the profile says")
        .conflicts("env"),
    );
}

function logs(runner: Runner) {
  return command("logs", "Print the logs of a workload's copies", [
    "mpctl workload logs web --env dev --tail 20",
    "mpctl workload logs web --env dev --follow --since 10m",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option("--follow", "continue with new lines")
    .option("--tail <n>", "only the last lines of each copy", count)
    .option("--since <duration>", "only lines printed since", duration)
    .option("--replica <name>", "only this copy", nonEmpty)
    .option("--timestamps", "prefix each line with its time")
    .option("--timeout <duration>", "stop following", duration)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { printLogs } = await import("../commands/logs.ts");
        return await printLogs(context, workload, flags);
      })
    );
}

function remove(runner: Runner) {
  return changeCommand("delete", "Delete a workload; stops running operations first", [
    "mpctl workload delete web --env dev",
    "mpctl workload delete web --env dev --abandon  # leaves its objects to the sweep",
  ])
    .alias("rm")
    .argument("<workload>")
    .option(...ENV)
    .option(...ETAG)
    .addOption(ABANDON)
    .option("--ignore-not-found", "succeed if there is no such workload")
    .option("--deadline <duration>", "how long the deletion itself may take", duration)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { deleteWorkload } = await import("../commands/change_workload.ts");
        return await deleteWorkload(context, workload, flags);
      })
    );
}
